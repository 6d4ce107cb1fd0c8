//! Whether a subscription hears anything, as the health of its service tells it.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use micro_core::{Broker, Error, ErrorKind, Result};
use tokio::time::sleep;

use super::health::Vitals;

/// How long it is waited until the broker is asked another time.
const PAUSE: Duration = Duration::from_secs(1);

/// How one subscription stands with its broker. It is told of by its number: others may have the same topic.
pub(super) struct Standing {
    part: String,
    vitals: Arc<Vitals>,
    broker: Arc<dyn Broker>,
    state: State,
}

enum State {
    Well,
    /// The broker lets it hear nothing. Events that were ahead of that may still come.
    Denied,
    /// It was denied, and since then it was subscribed anew. It is well when an event comes, or when the broker answers,
    /// and has denied nothing ahead of that.
    Asking(BoxFuture<'static, Result<()>>),
}

impl Standing {
    pub(super) fn new(number: usize, vitals: Arc<Vitals>, broker: Arc<dyn Broker>) -> Self {
        Standing {
            part: format!("subscription {number}"),
            vitals,
            broker,
            state: State::Well,
        }
    }

    /// It has ended, and will hear nothing more.
    pub(super) fn ended(&self, topic: &str) {
        let reason = format_args!("the subscription to {topic:?} has ended");
        self.vitals.note(&self.part, reason);
    }

    /// An event came.
    pub(super) fn heard(&mut self) {
        if matches!(self.state, State::Asking(_)) {
            self.recovered();
        }
    }

    /// Something else came.
    pub(super) fn failed(&mut self, topic: &str, error: &Error) {
        if error.kind() == ErrorKind::PermissionDenied {
            let reason = format_args!("the subscription to {topic:?} hears nothing: {error}");
            self.vitals.note(&self.part, reason);
            self.state = State::Denied;
        } else if error.kind() == ErrorKind::Unavailable && !matches!(self.state, State::Well) {
            // After a lost connection it is subscribed anew, and denied anew if need be. What befalls single events
            // changes nothing.
            self.ask(None);
        }
    }

    /// Waits for the answer of the broker, if it was asked; for ever if not.
    ///
    /// # Cancel safety
    /// Goes on where it was.
    pub(super) async fn checked(&mut self) {
        let State::Asking(answer) = &mut self.state else {
            return std::future::pending().await;
        };
        match answer.await {
            Ok(()) => self.recovered(),
            Err(_) => self.ask(Some(PAUSE)),
        }
    }

    /// Asks the broker, after a pause if there is to be one.
    fn ask(&mut self, pause: Option<Duration>) {
        let broker = self.broker.clone();
        self.state = State::Asking(Box::pin(async move {
            if let Some(pause) = pause {
                sleep(pause).await;
            }
            broker.flush().await
        }));
    }

    fn recovered(&mut self) {
        self.state = State::Well;
        self.vitals.recovered(&self.part);
    }
}
