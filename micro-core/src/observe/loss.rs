//! A ledger of what was dropped, by cause: of one subscription, and of the whole process.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::counter;

use crate::error::{Error, ErrorKind};
use crate::observe::names::TOPICS;
use crate::observe::recorder::is_recorded;
use crate::observe::series::TOPIC;

/// Why something was dropped that somebody had sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Loss {
    /// An event whose subscriber was too slow: its queue was full.
    Slow,
    /// The connection was away. Counted once for each time, whatever number is missing.
    Reconnect,
    /// A message above a limit, which was to be sent where nobody waits for an error.
    Oversize,
    /// The server does not let it be published, or took back the right to hear it.
    Permission,
    /// It could not be read, or broke the rules of its format.
    Undecodable,
    /// An answer that came when nobody waited for it any more.
    Late,
    /// A call that was refused because there was too much to do.
    Shed,
    /// An event that a stop cut off.
    Cut,
    /// An event that its publisher had sent, by its numbers, and that never came.
    Missed,
}

impl Loss {
    /// Each of them.
    pub const ALL: [Loss; 9] = [
        Loss::Slow,
        Loss::Reconnect,
        Loss::Oversize,
        Loss::Permission,
        Loss::Undecodable,
        Loss::Late,
        Loss::Shed,
        Loss::Cut,
        Loss::Missed,
    ];

    /// What metrics call it.
    pub fn name(self) -> &'static str {
        match self {
            Loss::Slow => "slow",
            Loss::Reconnect => "reconnect",
            Loss::Oversize => "oversize",
            Loss::Permission => "permission",
            Loss::Undecodable => "undecodable",
            Loss::Late => "late",
            Loss::Shed => "shed",
            Loss::Cut => "cut",
            Loss::Missed => "missed",
        }
    }

    /// What an error in a stream of events says was lost, and how much.
    fn told_by(error: &Error) -> (Self, u64) {
        match error.kind() {
            ErrorKind::Lagged(count) => (Loss::Slow, count),
            ErrorKind::Malformed => (Loss::Undecodable, 1),
            ErrorKind::PermissionDenied => (Loss::Permission, 1),
            _ => (Loss::Reconnect, 1),
        }
    }
}

/// How much was dropped, by cause.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Losses([u64; Loss::ALL.len()]);

impl Losses {
    /// How much for this cause.
    pub fn get(&self, loss: Loss) -> u64 {
        self.0[loss as usize]
    }

    /// Each cause that there was, with how much.
    pub fn iter(&self) -> impl Iterator<Item = (Loss, u64)> + '_ {
        let counts = Loss::ALL.into_iter().map(|loss| (loss, self.get(loss)));
        counts.filter(|(_, count)| *count > 0)
    }

    /// Whether nothing was dropped.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl fmt::Debug for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.iter().map(|(loss, count)| (loss.name(), count));
        f.debug_map().entries(named).finish()
    }
}

/// Counts that go up.
#[derive(Debug, Default)]
struct Counts([AtomicU64; Loss::ALL.len()]);

impl Counts {
    const fn new() -> Self {
        Counts([const { AtomicU64::new(0) }; Loss::ALL.len()])
    }

    fn add(&self, loss: Loss, count: u64) {
        self.0[loss as usize].fetch_add(count, Ordering::Relaxed);
    }

    fn read(&self) -> Losses {
        Losses(self.0.each_ref().map(|count| count.load(Ordering::Relaxed)))
    }
}

static TOTAL: Counts = Counts::new();

/// How much was dropped in this process so far: by subscriptions, by clients and servers, and by backends.
pub fn losses() -> Losses {
    TOTAL.read()
}

/// What one subscription has lost. Clones share the counts.
#[derive(Clone, Debug)]
pub struct Ledger {
    topic: Arc<str>,
    counts: Arc<Counts>,
}

impl Ledger {
    /// Of a subscription to this topic, which has lost nothing yet.
    pub fn new(topic: &str) -> Self {
        Ledger {
            topic: topic.into(),
            counts: Arc::default(),
        }
    }

    /// What was lost so far.
    pub fn read(&self) -> Losses {
        self.counts.read()
    }

    /// Counts events that came to nothing: here, in the total, and as the metric `messaging.client.lost.messages`.
    pub fn note(&self, loss: Loss, count: u64) {
        self.counts.add(loss, count);
        TOTAL.add(loss, count);
        if is_recorded() {
            let topic = TOPICS.name(&self.topic);
            counter!("messaging.client.lost.messages", TOPIC => topic, "cause" => loss.name())
                .increment(count);
        }
    }

    pub(crate) fn note_error(&self, error: &Error) {
        let (loss, count) = Loss::told_by(error);
        self.note(loss, count);
    }
}

/// Counts a message of no subscription that was dropped: in the total, and as the metric `micro.ignored.messages` of
/// what dropped it.
pub fn dropped(by: &'static str, loss: Loss) {
    ignored(by, loss.name(), loss);
}

/// As [`dropped`], with a name for the cause that says more. Both names are of the code that counts, and not of what came.
pub fn ignored(by: &'static str, cause: &'static str, loss: Loss) {
    TOTAL.add(loss, 1);
    if is_recorded() {
        counter!("micro.ignored.messages", "component" => by, "cause" => cause).increment(1);
    }
}

/// Counts a call that was refused because there was too much to do: in the total. Its metric has its code.
pub(super) fn shed() {
    TOTAL.add(Loss::Shed, 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_a_count_of_its_own() {
        let ledger = Ledger::new("topic");
        for (number, loss) in Loss::ALL.into_iter().enumerate() {
            ledger.clone().note(loss, number as u64 + 1);
        }
        let losses = ledger.read();
        let counts: Vec<_> = losses.iter().map(|(_, count)| count).collect();
        assert_eq!(counts, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(!losses.is_empty() && Losses::default().is_empty());
    }

    #[test]
    fn the_total_goes_up_with_each_ledger() {
        let before = losses().get(Loss::Slow);
        Ledger::new("one").note(Loss::Slow, 2);
        Ledger::new("other").note(Loss::Slow, 3);
        assert!(losses().get(Loss::Slow) >= before + 5);
    }

    #[test]
    fn what_an_error_says_is_counted_by_its_cause() {
        for (error, loss, count) in [
            (Error::lagged(7), Loss::Slow, 7),
            (Error::new(ErrorKind::Malformed, ""), Loss::Undecodable, 1),
            (Error::new(ErrorKind::PermissionDenied, ""), Loss::Permission, 1),
            (Error::new(ErrorKind::Unavailable, ""), Loss::Reconnect, 1),
        ] {
            let ledger = Ledger::new("topic");
            ledger.note_error(&error);
            assert_eq!(ledger.read().iter().collect::<Vec<_>>(), [(loss, count)]);
        }
    }
}
