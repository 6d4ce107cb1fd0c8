//! How many of the last messages reached nobody: exactly, since they may be sent again elsewhere.
//!
//! The server answers each message that it can hand to nobody with one word of that, on the message's reply
//! subject. It handles what one connection sends in order, so once a listener's interest is gone, *every* later
//! message gets such a word, and none before it does: what reached nobody are the last ones sent, and their number
//! is the number of words. Three things make the count exact:
//!
//! 1. Nothing but messages carries the socket's reply subject (see [`control`](crate::control)).
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

use futures::StreamExt;
use nats_common::Delivery;
use tokio::time::timeout;

use crate::control::Word;
use crate::end::End;

/// How long the server's answer is waited for.
const LIMIT: Duration = Duration::from_secs(5);

/// How addresses begin that no two listeners ever have.
const UNIQUE: &str = "_INBOX.";

/// Waits until every word has come; whether their number can be relied on.
pub(crate) async fn settle(end: Arc<End>) -> bool {
    if end.remote.starts_with(UNIQUE) {
        return end.connection.fence().await.is_ok();
    }
    if end.peer.is_ours() {
        return nobody_answers(&end).await;
    }
    let fenced = end.connection.fence().await.is_ok();
    fenced && end.look(|state| !state.has_heard_since())
}

/// Asks at the address.
async fn nobody_answers(end: &End) -> bool {
    let mut answers = end.connection.mailbox(4);
    let question = end.say(Word::Ping, end.remote.clone());
    let question = question.with_reply(answers.subject().clone());
    if end.connection.publish(question).await.is_err() {
        return false;
    }
    matches!(
        timeout(LIMIT, answers.next()).await,
        Ok(Some(Ok(Delivery::NoResponders)))
    )
}
