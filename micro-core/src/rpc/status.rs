//! What a call ended with.

use std::error::Error as StdError;
use std::fmt;

use bytes::Bytes;

use crate::error::{Error, ErrorKind};
use crate::rpc::Code;

/// What a call ended with, other than success: gRPC's code, a message, and details.
///
/// One word wide. What our own side cannot do is an [`Error`]; where it ends a call it becomes a `Status`
/// by [`From`].
#[derive(Clone, PartialEq, Eq)]
pub struct Status(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    code: Code,
    message: String,
    details: Bytes,
    delivery: Delivery,
    origin: Origin,
}

/// Whether the handler may have run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// It may have, wholly or in part.
    Perhaps,
    /// It certainly has not: the request reached nobody, or was refused before the handler began.
    Never,
}

/// The form in which a go-micro peer said it, kept so that it can be said again unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It began here.
    Here,
    /// `{"id","code","detail","status"}`, of which `detail` is the message.
    Micro { id: String, code: i32, status: String },
    /// Bare text, which is the message.
    Text,
}

impl Status {
    /// A status of this code, with a message for humans.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Status(Box::new(Inner {
            code,
            message: message.into(),
            details: Bytes::new(),
            delivery: Delivery::Perhaps,
            origin: Origin::Here,
        }))
    }

    /// Adds details: bytes that both ends agree on, such as a `google.rpc.Status`.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<Bytes>) -> Self {
        self.0.details = details.into();
        self
    }

    /// Says that the handler has certainly not run, so that the call may be made again elsewhere.
    #[must_use]
    pub fn never_delivered(mut self) -> Self {
        self.0.delivery = Delivery::Never;
        self
    }

    /// Says that a handler has run, whatever a call that it made itself ended with.
    pub(crate) fn after_running(mut self) -> Self {
        self.0.delivery = Delivery::Perhaps;
        self
    }

    pub(crate) fn with_origin(mut self, origin: Origin) -> Self {
        self.0.origin = origin;
        self
    }

    /// What a caller can act on.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The message for humans: go-micro's `detail`.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Bytes that both ends agree on.
    pub fn details(&self) -> &Bytes {
        &self.0.details
    }

    /// Who said so, when a go-micro peer did: its `id`, usually the name of a service.
    pub fn id(&self) -> Option<&str> {
        match &self.0.origin {
            Origin::Micro { id, .. } => Some(id),
            Origin::Here | Origin::Text => None,
        }
    }

    /// Whether the handler has certainly not run, so that the call may be made again elsewhere.
    pub fn is_never_delivered(&self) -> bool {
        self.0.delivery == Delivery::Never
    }

    /// Whether the other side said so, and not this one.
    pub fn is_from_peer(&self) -> bool {
        self.0.origin != Origin::Here
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.0.origin
    }
}

macro_rules! by_code {
    ($($(#[$doc:meta])* $name:ident => $code:ident;)*) => {
        impl Status {
            $($(#[$doc])* pub fn $name(message: impl Into<String>) -> Self { Status::new(Code::$code, message) })*
        }
    };
}

by_code! {
    /// The caller went away, or gave up.
    cancelled => Cancelled;
    /// An error of which nothing more is known.
    unknown => Unknown;
    /// The request can never work.
    invalid_argument => InvalidArgument;
    /// The deadline passed first.
    deadline_exceeded => DeadlineExceeded;
    /// What was asked for is not there.
    not_found => NotFound;
    /// What was to be made is there already.
    already_exists => AlreadyExists;
    /// The caller is known, and may not.
    permission_denied => PermissionDenied;
    /// A limit or a quota is used up.
    resource_exhausted => ResourceExhausted;
    /// The system is not in the state that this needs.
    failed_precondition => FailedPrecondition;
    /// A conflict with somebody else; the whole may be tried again.
    aborted => Aborted;
    /// Past the end.
    out_of_range => OutOfRange;
    /// Nobody here does that.
    unimplemented => Unimplemented;
    /// A defect.
    internal => Internal;
    /// Not now; later, or elsewhere.
    unavailable => Unavailable;
    /// Data is lost or damaged.
    data_loss => DataLoss;
    /// The caller is not known.
    unauthenticated => Unauthenticated;
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        if !self.0.details.is_empty() {
            write!(f, " ({} bytes of details)", self.0.details.len())?;
        }
        match self.0.delivery {
            Delivery::Never => f.write_str(" (never delivered)"),
            Delivery::Perhaps => Ok(()),
        }
    }
}

impl StdError for Status {}

impl From<ErrorKind> for Code {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidArgument | ErrorKind::Malformed => Code::InvalidArgument,
            ErrorKind::NotFound => Code::NotFound,
            ErrorKind::AlreadyExists => Code::AlreadyExists,
            ErrorKind::PermissionDenied => Code::PermissionDenied,
            ErrorKind::Unavailable | ErrorKind::Closed => Code::Unavailable,
            ErrorKind::Timeout => Code::DeadlineExceeded,
            ErrorKind::ResourceExhausted => Code::ResourceExhausted,
            ErrorKind::Lagged(_) => Code::DataLoss,
            ErrorKind::Unsupported => Code::Unimplemented,
            ErrorKind::Internal => Code::Internal,
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        Status::new(Code::from(error.kind()), error.to_string())
    }
}

/// A failed call as an error of the side that made it: so `?` works in a `main` that returns [`crate::Result`].
impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let kind = match status.code() {
            Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition => ErrorKind::InvalidArgument,
            Code::NotFound => ErrorKind::NotFound,
            Code::AlreadyExists => ErrorKind::AlreadyExists,
            Code::PermissionDenied | Code::Unauthenticated => ErrorKind::PermissionDenied,
            Code::Unavailable | Code::Aborted => ErrorKind::Unavailable,
            Code::DeadlineExceeded => ErrorKind::Timeout,
            Code::ResourceExhausted => ErrorKind::ResourceExhausted,
            Code::Cancelled => ErrorKind::Closed,
            Code::Unimplemented => ErrorKind::Unsupported,
            Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => ErrorKind::Internal,
        };
        // What the kind says already is not said again.
        let message = match Code::from(kind) == status.code() {
            true => status.message().to_owned(),
            false => status.to_string(),
        };
        Error::new(kind, message).with_source(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_word() {
        assert_eq!(size_of::<Status>(), size_of::<usize>());
    }

    #[test]
    fn a_status_becomes_an_error_that_says_its_code_once() {
        let error = Error::from(Status::not_found("nobody serves it"));
        assert_eq!(format!("{error:?}"), "nobody serves it [NotFound]");
        let error = Error::from(Status::aborted("somebody else was first"));
        let said = "ABORTED: somebody else was first [Unavailable]";
        assert_eq!(format!("{error:?}"), said);
    }

    #[test]
    fn an_error_becomes_a_status_that_says_the_same() {
        let status = Status::from(Error::new(ErrorKind::NotFound, "no such service").with_operation("call"));
        assert_eq!(
            (status.code(), status.message()),
            (Code::NotFound, "call: no such service")
        );
    }
}
