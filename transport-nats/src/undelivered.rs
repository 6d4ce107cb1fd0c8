//! How many of the last messages reached nobody: exactly, since they may be sent again elsewhere.
//!
//! The server answers each message that it can hand to nobody with one word of that, on the message's reply
//! subject. (Where several of ours travel in one of the server's, that one is meant here, and what was in it is
//! known.) It handles what one connection sends in order, so once a listener's interest is gone, *every* later
//! message gets such a word, and none before it does: what reached nobody are the last ones sent, and their number
//! is the number of words. Three things make the count exact:
//!
//! 1. Nothing but messages carries the socket's reply subject (see [`control`](crate::control)), or it is known what
//!    carried none.
//! 2. The first word ends the sending half, so that no message follows later.
//! 3. Then the server is asked something on the same connection. Its words for messages that were sent before
//!    come before its answer.
//!
//! One thing could still spoil it: a listener that takes over the address while messages are on their way, so that
//! the last ones did arrive. Addresses that listeners choose are never given twice. For others the question is
//! put to the address itself: if anybody answers, nothing is claimed. A plain peer must not be asked, and is not
//! believed once anything came from it after the first word.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use nats_common::{Connection, Delivery, Outgoing, Subject};
use tokio::time::timeout;

/// How long the server's answer is waited for.
const LIMIT: Duration = Duration::from_secs(5);

/// How addresses begin that no two listeners ever have.
const UNIQUE: &str = "_INBOX.";

/// What has to be known of a socket.
pub(crate) struct Question {
    pub(crate) connection: Arc<Connection>,
    /// Where its messages went.
    pub(crate) remote: Subject,
    /// What everybody who understands answers to; nothing, when whoever may be there must not be asked.
    pub(crate) ask: Option<Bytes>,
    /// Whether anything came after the first word.
    pub(crate) heard_since: bool,
}

/// Waits until every word has come; whether their number can be relied on.
pub(crate) async fn settle(question: Question) -> bool {
    if question.remote.starts_with(UNIQUE) {
        return question.connection.fence().await.is_ok();
    }
    match question.ask {
        Some(ask) => nobody_answers(&question.connection, question.remote, ask).await,
        None => question.connection.fence().await.is_ok() && !question.heard_since,
    }
}

/// Asks at the address.
async fn nobody_answers(connection: &Arc<Connection>, remote: Subject, ask: Bytes) -> bool {
    let mut answers = connection.mailbox(4);
    let question = Outgoing::new(remote, ask).with_reply(answers.subject().clone());
    if connection.publish(question).await.is_err() {
        return false;
    }
    matches!(
        timeout(LIMIT, answers.next()).await,
        Ok(Some(Ok(Delivery::NoResponders)))
    )
}
