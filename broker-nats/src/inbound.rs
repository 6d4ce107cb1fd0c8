//! What comes in for one subscription, on its way into the subscriber's queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use micro_core::{Error, ErrorKind, Result, queue};
use nats_common::{Consumer, Incoming, Message, Subject};
use parking_lot::Mutex;

/// Subjects on which no events travel: replies, registries, the server's own.
const NO_EVENTS: [&str; 4] = ["_INBOX.", "micro.nats.", "micro.registry.nats.", "$"];

/// An event that waits unread: what is dropped was not decoded for nothing.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) subject: Subject,
    pub(crate) payload: Bytes,
}

impl From<Message> for Unread {
    /// Keeps what an event is made of: a message has thrice as many bytes, and all are moved through the queue.
    fn from(message: Message) -> Self {
        Unread {
            subject: message.subject,
            payload: message.payload,
        }
    }
}

/// The writing end of a subscriber's queue. It closes when the subscription ends.
pub(crate) struct Inbound {
    topic: String,
    group: Option<String>,
    queue: Mutex<Option<queue::Sender<Result<Unread>>>>,
    /// Whether the subscriber knows that the server refuses its subscription.
    refused: Arc<AtomicBool>,
    /// What went wrong while it was not known whether the subscription is made; `None` once it is.
    withheld: Mutex<Option<Vec<Error>>>,
}

impl Inbound {
    pub(crate) fn new(topic: &str, group: Option<&str>, queue: queue::Sender<Result<Unread>>) -> Self {
        Inbound {
            topic: topic.to_owned(),
            group: group.map(str::to_owned),
            queue: Mutex::new(Some(queue)),
            refused: Arc::default(),
            withheld: Mutex::default(),
        }
    }

    /// One of several in turn that are the same subscription for whoever reads the queue. It keeps to itself what goes
    /// wrong until it is [`made`](Inbound::made): whoever subscribes is told why that failed.
    pub(crate) fn withholding(
        topic: &str,
        group: Option<&str>,
        queue: queue::Sender<Result<Unread>>,
        refused: Arc<AtomicBool>,
    ) -> Self {
        Inbound {
            refused,
            withheld: Mutex::new(Some(Vec::new())),
            ..Inbound::new(topic, group, queue)
        }
    }

    /// The subscription is made. What went wrong since then is told now.
    pub(crate) fn made(&self) {
        // Under the lock, so that what goes wrong meanwhile comes behind.
        let mut withheld = self.withheld.lock();
        for error in withheld.take().into_iter().flatten() {
            self.tell(error);
        }
    }

    fn fail(&self, error: Error) {
        match &mut *self.withheld.lock() {
            Some(withheld) => withheld.push(error),
            None => self.tell(error),
        }
    }

    /// A refusal is told once: after a lost connection there may be another one.
    fn tell(&self, error: Error) {
        let refused = error.kind() == ErrorKind::PermissionDenied;
        let known = self.refused.swap(refused, Ordering::Relaxed);
        if !(refused && known) {
            self.push(Err(error));
        }
    }

    fn write(&self, write: impl FnOnce(&queue::Sender<Result<Unread>>)) {
        if let Some(queue) = self.queue.lock().as_ref() {
            write(queue);
        }
    }

    fn push(&self, item: Result<Unread>) {
        self.write(|queue| {
            queue.push(item);
        });
    }
}

impl Consumer for Inbound {
    fn take(&self, incoming: Incoming) {
        match incoming {
            Incoming::Message(message) if !carries_events(&self.topic, &message.subject) => {}
            Incoming::Message(message) => self.push(Ok(message.into())),
            Incoming::Lost(count) => self.write(|queue| queue.note_lost(count)),
            Incoming::Disconnected => self.fail(disconnected()),
            Incoming::Denied(denial) if denial.ends(&self.topic, self.group.as_deref()) => {
                self.fail(denial.error());
            }
            Incoming::Ended => drop(self.queue.lock().take()),
            _ => {}
        }
    }
}

/// Whether what comes on this subject is an event for a subscriber to this pattern.
///
/// `>` matches what peers say to each other on the same server, too; who wants to hear that asks for it by name.
fn carries_events(pattern: &str, subject: &str) -> bool {
    NO_EVENTS
        .iter()
        .all(|prefix| !subject.starts_with(prefix) || pattern.starts_with(prefix))
}

/// Whether events travel on a subject.
pub(crate) fn is_topic(subject: &str) -> bool {
    carries_events(">", subject)
}

fn disconnected() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the NATS connection was lost; events may be missing",
    )
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt};

    use super::*;

    #[test]
    fn what_peers_say_to_each_other_is_no_event_unless_asked_for() {
        for (pattern, subject, expected) in [
            (">", "orders.new", true),
            (">", "_INBOX.abc.1", false),
            ("*.*.*", "micro.nats.query", false),
            (">", "$JS.API.INFO", false),
            ("_INBOX.>", "_INBOX.abc.1", true),
            ("micro.nats.watch", "micro.nats.watch", true),
            ("micro.>", "micro.news", true),
        ] {
            assert_eq!(carries_events(pattern, subject), expected, "{pattern} {subject}");
        }
    }

    #[test]
    fn a_lost_connection_is_told_and_the_end_ends() {
        let (sender, mut queue) = queue::bounded(4);
        let inbound = Inbound::new("a", None, sender);
        inbound.take(Incoming::Disconnected);
        inbound.take(Incoming::Lost(3));
        inbound.take(Incoming::Ended);
        let mut next = || queue.next().now_or_never().unwrap().map(Result::flatten);
        assert_eq!(next().unwrap().unwrap_err().lost(), Some(3));
        assert_eq!(next().unwrap().unwrap_err().kind(), ErrorKind::Unavailable);
        assert!(next().is_none());
    }

    fn next(queue: &mut queue::Receiver<Result<Unread>>) -> Option<ErrorKind> {
        let told = queue.next().now_or_never().flatten()?.flatten();
        Some(told.unwrap_err().kind())
    }

    #[test]
    fn what_goes_wrong_is_withheld_until_the_subscription_is_made() {
        let (sender, mut queue) = queue::bounded(4);
        let inbound = || Inbound::withholding("a", None, sender.clone(), Arc::default());
        let (failed, made) = (inbound(), inbound());
        failed.take(Incoming::Disconnected);
        drop(failed);
        made.take(Incoming::Disconnected);
        assert_eq!(next(&mut queue), None);
        made.made();
        made.take(Incoming::Disconnected);
        assert_eq!(next(&mut queue), Some(ErrorKind::Unavailable));
        assert_eq!(next(&mut queue), Some(ErrorKind::Unavailable));
        assert_eq!(next(&mut queue), None);
    }

    #[test]
    fn a_refusal_is_told_once_for_each_connection() {
        let (sender, mut queue) = queue::bounded(8);
        let inbound = Inbound::new("a", None, sender);
        let denied = || inbound.fail(Error::new(ErrorKind::PermissionDenied, "no"));
        denied();
        denied();
        inbound.take(Incoming::Disconnected);
        denied();
        let told = std::iter::from_fn(|| next(&mut queue));
        use ErrorKind::{PermissionDenied, Unavailable};
        assert!(told.eq([PermissionDenied, Unavailable, PermissionDenied]));
    }
}
