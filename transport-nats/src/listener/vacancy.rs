//! Whether an address that somebody gave is free: two listeners on one would each get every message.
//!
//! The server says at once when nobody listens. A listener of ours answers a ping about a socket that it does not know,
//! and whatever else listens is likely to answer something. Two that begin at the same moment do not see each other.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use micro_core::{Address, Error, ErrorKind, Result};
use nats_common::{Connection, Delivery, Outgoing};
use tokio::time::timeout;

use crate::control::{Control, Word};
use crate::go_micro;

/// How long an answer is waited for.
const LIMIT: Duration = Duration::from_secs(1);

/// Asks at the address.
///
/// Where neither the server nor anybody else answers, somebody may be about to leave, or have died just now, or may not be
/// asked; that is logged, and no reason not to begin.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] when somebody listens there.
pub(super) async fn check(connection: &Arc<Connection>, address: &Address) -> Result<()> {
    let mut answers = connection.mailbox(4);
    let ping = Control {
        word: Word::Ping,
        socket: Some(answers.subject().clone()),
    };
    let ask = Outgoing::new(address.as_str(), go_micro::encode_control(&ping));
    connection
        .publish(ask.with_reply(answers.subject().clone()))
        .await?;
    match timeout(LIMIT, answers.next()).await {
        Ok(Some(Ok(Delivery::NoResponders))) => Ok(()),
        Ok(Some(Ok(Delivery::Message(_)))) => Err(taken(address)),
        Ok(Some(Err(error))) => unknown(address, &error),
        Ok(None) => unknown(address, &"the connection has ended"),
        Err(_) => unknown(address, &"somebody listens there, and does not answer"),
    }
}

fn taken(address: &Address) -> Error {
    let message = "somebody listens at this address already, so that each call would run twice; give each instance an \
                   address of its own, or leave it to the transport";
    Error::new(ErrorKind::AlreadyExists, message).with_context("address", address)
}

fn unknown(address: &Address, reason: &dyn std::fmt::Display) -> Result<()> {
    tracing::warn!(%address, %reason, "it is not known whether this address is free");
    Ok(())
}
