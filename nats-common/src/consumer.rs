//! Who takes what comes in: the seam between the connection's tasks and their users.

use async_nats::Message;

/// Takes what comes in for one mailbox or one subscription.
///
/// It is called by the connection's own tasks, one item after the other, so it must neither block nor do lengthy
/// work: it queues, and wakes whoever reads.
pub trait Consumer: Send + Sync + 'static {
    /// Takes one item.
    fn take(&self, incoming: Incoming);
}

/// What can come in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Incoming {
    /// A message.
    Message(Message),
    /// What was published with this mailbox as its reply subject reached nobody. One for each such message.
    NoResponders,
    /// This many messages, at least, were dropped before they came here, because this process fell behind.
    Lost(u64),
    /// The connection was lost. What was on its way, in either direction, may be lost; it is being opened again.
    Disconnected,
    /// The server refuses a subject. Told to everybody: who uses the subject knows.
    Denied(Denial),
    /// Nothing more will come.
    Ended,
}

/// A subject that the server does not let us use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Denial {
    /// What we wanted to do with it.
    pub action: DeniedAction,
    /// The subject, as the server names it.
    pub subject: String,
    /// The queue group that we wanted to join there; `None` for a plain subscription, and for a publish.
    pub queue: Option<String>,
}

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeniedAction {
    /// To publish.
    Publish,
    /// To subscribe.
    Subscribe,
}

impl Denial {
    /// Reads what the server says: `Permissions Violation for Publish to "subject"`, or `for Subscription to`,
    /// the latter with ` using queue "queue"` where there is one.
    ///
    /// When its rules have changed, it ends what they forbid and adds which subscription that is, ` (sid "3")`; before
    /// 2.14 without the queue.
    pub(crate) fn parse(text: &str) -> Option<(Denial, Option<u64>)> {
        let (head, rest) = text.split_once(" to \"")?;
        let action = match head.to_ascii_lowercase().as_str() {
            "permissions violation for publish" => DeniedAction::Publish,
            "permissions violation for subscription" => DeniedAction::Subscribe,
            _ => return None,
        };
        let (subject, rest) = rest.split_once('"')?;
        let denial = Denial {
            action,
            subject: subject.to_owned(),
            queue: quoted(rest, " using queue \"").map(str::to_owned),
        };
        Some((denial, quoted(rest, " (sid \"").and_then(|sid| sid.parse().ok())))
    }

    /// Whether it is about such a subscription: in that queue group, or plain.
    pub fn ends(&self, subject: &str, queue: Option<&str>) -> bool {
        self.action == DeniedAction::Subscribe && self.subject == subject && self.queue.as_deref() == queue
    }

    /// The error for the handle concerned.
    pub fn error(&self) -> micro_core::Error {
        let action = match self.action {
            DeniedAction::Publish => "publish to",
            DeniedAction::Subscribe => "subscribe to",
        };
        let member = self
            .queue
            .as_ref()
            .map(|queue| format!(" in queue group {queue:?}"));
        let member = member.unwrap_or_default();
        micro_core::Error::new(
            micro_core::ErrorKind::PermissionDenied,
            format!(
                "the NATS server does not let this user {action} {:?}{member}; grant it, or connect as another user",
                self.subject
            ),
        )
    }
}

/// What stands between this and the next quotation mark.
fn quoted<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let (_, text) = text.split_once(before)?;
    Some(text.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_names_action_and_subject_and_maybe_the_subscription() {
        let ended = |action, subject: &str, queue: Option<&str>, sid| {
            let denial = Denial {
                action,
                subject: subject.to_owned(),
                queue: queue.map(str::to_owned),
            };
            Some((denial, sid))
        };
        let denial = |action, subject, queue| ended(action, subject, queue, None);
        use DeniedAction::{Publish, Subscribe};
        for (text, expected) in [
            (
                "Permissions Violation for Publish to \"a.b\"",
                denial(Publish, "a.b", None),
            ),
            (
                "Permissions Violation for Subscription to \"a.>\"",
                denial(Subscribe, "a.>", None),
            ),
            (
                "Permissions Violation for Subscription to \"a\" using queue \"q\"",
                denial(Subscribe, "a", Some("q")),
            ),
            (
                "Permissions Violation for Subscription to \"a\" (sid \"3\")",
                ended(Subscribe, "a", None, Some(3)),
            ),
            (
                "Permissions Violation for Subscription to \"a\" using queue \"q\" (sid \"3\")",
                ended(Subscribe, "a", Some("q"), Some(3)),
            ),
            ("Maximum Connections Exceeded", None),
            ("Permissions Violation for Publish to \"a", None),
        ] {
            assert_eq!(Denial::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn a_refused_member_leaves_other_subscriptions_to_the_subject_alone() {
        let denial = |about| {
            Denial::parse(&format!("Permissions Violation for {about}"))
                .unwrap()
                .0
        };
        let member = denial("Subscription to \"a\" using queue \"q\"");
        let ended = |denial: &Denial| [None, Some("q"), Some("r")].map(|queue| denial.ends("a", queue));
        assert_eq!(ended(&member), [false, true, false]);
        assert_eq!(ended(&denial("Subscription to \"a\"")), [true, false, false]);
        assert_eq!(ended(&denial("Subscription to \"b\"")), [false; 3]);
        assert_eq!(ended(&denial("Publish to \"a\"")), [false; 3]);
    }

    #[test]
    fn the_error_says_which_subject_and_which_queue_group() {
        for (text, said) in [
            ("Publish to \"a.b\"", "publish to \"a.b\";"),
            ("Subscription to \"a.b\"", "subscribe to \"a.b\";"),
            (
                "Subscription to \"a.b\" using queue \"q\"",
                "subscribe to \"a.b\" in queue group \"q\";",
            ),
        ] {
            let (denial, _) = Denial::parse(&format!("Permissions Violation for {text}")).unwrap();
            let error = denial.error();
            assert_eq!(error.kind(), micro_core::ErrorKind::PermissionDenied);
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
