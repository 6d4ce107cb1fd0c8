//! What the NATS client reports, as errors that say what to do.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use async_nats::{ConnectError, ConnectErrorKind};
use micro_core::{Error, ErrorKind};

/// Why one server of the list could not be used.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// The address, as given.
    pub(crate) server: String,
    /// What a caller can act on.
    pub(crate) kind: ErrorKind,
    /// What to tell a human.
    pub(crate) reason: String,
}

impl Refusal {
    /// The server answered in a way that ended the attempt, or did not answer.
    pub(crate) fn from_connect(server: &str, error: &ConnectError) -> Self {
        let (kind, reason) = explain(error);
        Refusal {
            server: server.to_owned(),
            kind,
            reason,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.server, self.reason)
    }
}

/// One error for a list of servers none of which could be used.
///
/// Its kind is the one that waiting does not cure, when any server gave such a reason: credentials before
/// addresses that do not parse, and those before servers that are down.
pub(crate) fn cannot_connect(refusals: &[Refusal]) -> Error {
    let worst = [ErrorKind::PermissionDenied, ErrorKind::InvalidArgument]
        .into_iter()
        .find(|kind| refusals.iter().any(|refusal| refusal.kind == *kind));
    let reasons: Vec<String> = refusals.iter().map(Refusal::to_string).collect();
    let text = format!("cannot connect to NATS at {}", reasons.join("; "));
    Error::new(worst.unwrap_or(ErrorKind::Unavailable), text)
}

fn explain(error: &ConnectError) -> (ErrorKind, String) {
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => (
            ErrorKind::PermissionDenied,
            "the server refuses the credentials; put the right ones into the address, as in nats://user:password@host:port"
                .to_owned(),
        ),
        ConnectErrorKind::TimedOut => (
            ErrorKind::Unavailable,
            "no answer within 5 s; is it a nats-server, and can it be reached from here?".to_owned(),
        ),
        ConnectErrorKind::Dns => (
            ErrorKind::Unavailable,
            format!("the name cannot be resolved ({})", root(error)),
        ),
        ConnectErrorKind::Tls => (
            ErrorKind::Unavailable,
            format!("TLS failed ({}); do its certificate and host name fit?", root(error)),
        ),
        _ => (ErrorKind::Unavailable, explain_io(error)),
    }
}

fn explain_io(error: &ConnectError) -> String {
    let refused = source_of_type::<io::Error>(error)
        .is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    if refused {
        "connection refused; is nats-server running there?".to_owned()
    } else {
        format!("{}; is it a nats-server?", root(error))
    }
}

fn root<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

fn source_of_type<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The connection went down: what was on its way may be lost.
pub(crate) fn disconnected() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the NATS connection was lost, and what was on its way may be lost with it; it is being opened again",
    )
}

/// Nothing could be sent for as long as a publish waits.
pub(crate) fn not_connected() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the NATS connection is down or stalled, and was not back within 5 s; nothing was sent",
    )
}

/// The connection is gone for good, with its runtime.
pub(crate) fn ended() -> Error {
    Error::closed("the NATS connection has ended, with the runtime that it ran on")
}

/// A payload above what the server takes.
pub(crate) fn too_large(size: usize, limit: usize) -> Error {
    Error::new(
        ErrorKind::ResourceExhausted,
        format!("a message of {size} bytes is above the NATS server's limit of {limit} (its max_payload)"),
    )
}

/// A subject that is not one.
pub(crate) fn illegal_subject(subject: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        "not a NATS subject: tokens separated by dots, none of them empty, no white space",
    )
    .with_context("subject", format!("{subject:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(server: &str, kind: ErrorKind, reason: &str) -> Refusal {
        Refusal {
            server: server.to_owned(),
            kind,
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn a_failed_connect_names_every_server_and_its_reason() {
        let error = cannot_connect(&[
            refusal("a:1", ErrorKind::Unavailable, "connection refused"),
            refusal("b:2", ErrorKind::Unavailable, "no answer"),
        ]);
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(
            error.to_string(),
            "cannot connect to NATS at a:1: connection refused; b:2: no answer"
        );
    }

    #[test]
    fn what_waiting_does_not_cure_decides_the_kind() {
        let down = || refusal("a:1", ErrorKind::Unavailable, "down");
        let illegible = || refusal("b:x", ErrorKind::InvalidArgument, "not an address");
        let denied = || refusal("c:3", ErrorKind::PermissionDenied, "refused");
        let kind = |list: &[Refusal]| cannot_connect(list).kind();
        assert_eq!(kind(&[down(), illegible()]), ErrorKind::InvalidArgument);
        assert_eq!(
            kind(&[illegible(), down(), denied()]),
            ErrorKind::PermissionDenied
        );
    }

    #[test]
    fn a_refused_connection_asks_for_the_server() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let refusal = Refusal::from_connect("127.0.0.1:4222", &ConnectError::from(refused));
        assert_eq!(
            refusal.to_string(),
            "127.0.0.1:4222: connection refused; is nats-server running there?"
        );
    }
}
