//! What calls ended with, and which ended too late.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::clock::Clock;

/// How much later than its deadline a call may end.
pub(super) const GRACE: Duration = Duration::from_millis(50);

/// What calls ended with, by kind of call.
#[derive(Default)]
pub(super) struct Tally(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    calls: u64,
    outcomes: BTreeMap<(&'static str, String), u64>,
    late: Vec<Late>,
    endless: u64,
    latest: Duration,
}

/// A call that ended after its deadline and the grace.
struct Late {
    kind: &'static str,
    outcome: String,
    deadline: Instant,
    ended: Instant,
}

impl Tally {
    /// Notes a call that has ended now.
    pub(super) fn ended(&self, kind: &'static str, outcome: String, deadline: Instant) {
        let ended = Instant::now();
        let by = ended.saturating_duration_since(deadline);
        let mut counts = self.0.lock();
        counts.calls += 1;
        counts.latest = counts.latest.max(by);
        if by > GRACE {
            counts.late.push(Late {
                kind,
                outcome: outcome.clone(),
                deadline,
                ended,
            });
        }
        *counts.outcomes.entry((kind, outcome)).or_default() += 1;
    }

    /// Notes a call that was given up long after its deadline.
    pub(super) fn endless(&self, kind: &'static str) {
        let mut counts = self.0.lock();
        counts.calls += 1;
        counts.endless += 1;
        *counts
            .outcomes
            .entry((kind, "never ended".to_owned()))
            .or_default() += 1;
    }

    pub(super) fn calls(&self) -> u64 {
        self.0.lock().calls
    }

    /// Prints outcomes and late calls; how many hung.
    pub(super) fn judge(&self, clock: &Clock) -> u64 {
        let counts = self.0.lock();
        println!("{counts}");
        let (allowed, hung): (Vec<_>, Vec<_>) = counts.late.iter().partition(|late| late.is_allowed(clock));
        for late in hung.iter().take(20) {
            println!("  hung: {}", late.told(clock));
        }
        println!(
            "calls that ended more than {GRACE:?} after their deadline: {} while this process waited for a processor as long \
             (at most {:?} at a time), {} while it did not; the latest came {:?} after its deadline",
            allowed.len(),
            clock.worst(),
            hung.len(),
            counts.latest
        );
        hung.len() as u64 + counts.endless
    }
}

impl Late {
    fn by(&self) -> Duration {
        self.ended - self.deadline
    }

    fn is_allowed(&self, clock: &Clock) -> bool {
        self.by() <= GRACE + clock.waited_within(self.deadline, self.ended)
    }

    fn told(&self, clock: &Clock) -> String {
        let waited = clock.waited_within(self.deadline, self.ended);
        format!(
            "{} ended {:?} after its deadline with {}, while this process waited for {waited:?} of that",
            self.kind,
            self.by(),
            self.outcome
        )
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} calls", self.calls)?;
        let mut last = "";
        for ((kind, outcome), count) in &self.outcomes {
            match last == *kind {
                true => write!(f, ", {outcome} {count}")?,
                false => write!(f, "\n  {kind}: {outcome} {count}")?,
            }
            last = kind;
        }
        Ok(())
    }
}
