//! What a call ends with that no node took.

use crate::error::{Error, ErrorKind};
use crate::rpc::{Code, Status};

/// What cannot be dialled has not been called. An address that can never be dialled is the node's fault.
pub(super) fn undialled(error: Error) -> Status {
    let status = match error.kind() {
        ErrorKind::InvalidArgument => Status::unavailable(error.to_string()),
        _ => Status::from(error),
    };
    status.never_delivered()
}

/// No node is left to try: what the last one said, and of which service it was one.
pub(super) fn unreached(last: &Status, service: &str) -> Status {
    let message = format!(
        "no node of {service:?} could take the call; the last: {}",
        last.message()
    );
    let status = Status::new(last.code(), message).with_details(last.details().clone());
    if last.is_never_delivered() {
        status.never_delivered()
    } else {
        status
    }
}

/// What this side says of a socket that broke, and of which service it was one: its address tells that to nobody.
pub(super) fn named(status: Status, service: &str) -> Status {
    let is_ours =
        matches!(status.code(), Code::Unavailable | Code::PermissionDenied) && !status.is_from_peer();
    if !is_ours || status.message().contains(service) {
        return status;
    }
    let message = format!("{} (service: {service})", status.message());
    let named = Status::new(status.code(), message).with_details(status.details().clone());
    match status.is_never_delivered() {
        true => named.never_delivered(),
        false => named,
    }
}

pub(super) fn unselectable(error: Error, service: &str) -> Status {
    let message = match error.kind() {
        // Most registries say which service it is that nobody serves, and what to do about it.
        ErrorKind::NotFound if error.message().contains(service) => error.message().to_owned(),
        ErrorKind::NotFound => format!("nobody serves {service:?}: {error}"),
        _ => error.to_string(),
    };
    Status::new(Status::from(error).code(), message).never_delivered()
}
