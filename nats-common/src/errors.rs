//! What the NATS client reports, as errors that say what to do.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use async_nats::{ConnectError, ConnectErrorKind};
use micro_core::plugin::Tls;
use micro_core::{Error, ErrorKind};

use crate::config::Server;
use crate::{login, tls};

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
    pub(crate) fn from_connect(server: &Server, tls: &Tls, error: &ConnectError) -> Self {
        let (kind, reason) = explain(server, tls, error);
        Refusal {
            server: server.name(),
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
    let worst = [
        ErrorKind::PermissionDenied,
        ErrorKind::InvalidArgument,
        ErrorKind::Unsupported,
    ]
    .into_iter()
    .find(|kind| refusals.iter().any(|refusal| refusal.kind == *kind));
    let reasons: Vec<String> = refusals.iter().map(Refusal::to_string).collect();
    let text = format!("cannot connect to NATS at {}", reasons.join("; "));
    Error::new(worst.unwrap_or(ErrorKind::Unavailable), text)
}

fn explain(server: &Server, tls: &Tls, error: &ConnectError) -> (ErrorKind, String) {
    if let Some(reason) = tls::explain(error, tls) {
        return (ErrorKind::PermissionDenied, reason);
    }
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            (ErrorKind::PermissionDenied, login::refused(server.login.as_ref()))
        }
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
            format!(
                "TLS failed ({}); do its certificate and host name fit?",
                root(error)
            ),
        ),
        _ => explain_io(error),
    }
}

fn explain_io(error: &ConnectError) -> (ErrorKind, String) {
    let text = root(error).to_string();
    if text.contains("no responders requires headers") {
        let reason = "the server has headers turned off, and its clients learn by headers that nobody is there; \
                      remove no_header_support from its configuration";
        return (ErrorKind::Unsupported, reason.to_owned());
    }
    let refused = causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::ConnectionRefused);
    let reason = match refused {
        true => "connection refused; is nats-server running there?".to_owned(),
        false => format!("{text}; is it a nats-server?"),
    };
    (ErrorKind::Unavailable, reason)
}

fn root<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    causes(error).last().unwrap_or(error)
}

/// An error, what lay beneath it, and so on; also what an `io::Error` was made of, which is not its source.
pub(crate) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| beneath(*error))
}

fn beneath<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    inner.map(|inner| inner as _).or_else(|| error.source())
}

/// The connection went down: what was on its way may be lost.
pub(crate) fn disconnected() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the NATS connection was lost, and what was on its way may be lost with it; it is being opened again",
    )
}

/// Nothing could be sent for as long as a publish waits; why, if that is known.
pub(crate) fn not_connected(trouble: Option<String>) -> Error {
    let mut text =
        "the NATS connection is down or stalled, and was not back within 5 s; nothing was sent".to_owned();
    if let Some(trouble) = trouble {
        text = format!("{text}; {trouble}");
    }
    Error::new(ErrorKind::Unavailable, text)
}

/// Why an attempt to connect again failed, of which the client tells the kind alone.
pub(crate) fn failed_attempt(kind: &str) -> String {
    let refusals = [
        ConnectErrorKind::AuthorizationViolation,
        ConnectErrorKind::Authentication,
    ];
    if refusals.iter().any(|refusal| refusal.to_string() == kind) {
        return format!("the server refuses our login now ({kind}): is it still valid?");
    }
    format!("connecting again failed ({kind})")
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
    use micro_core::PluginConfig;

    use super::*;
    use crate::config::Servers;

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
        let servers = Servers::parse(&PluginConfig::default());
        let refusal = Refusal::from_connect(&servers.usable[0], &servers.tls, &ConnectError::from(refused));
        assert_eq!(
            refusal.to_string(),
            "127.0.0.1:4222: connection refused; is nats-server running there?"
        );
    }
}
