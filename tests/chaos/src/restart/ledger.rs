//! What was asked for, held against what the instances say that they handled.

use std::collections::BTreeMap;
use std::fmt;

use super::load::{Kind, Load};
use crate::instance::Handled;

/// How often each number was handled, by the instances that have ended.
#[derive(Default)]
pub(super) struct Ledger {
    calls: Counts,
    events: Counts,
    cut: u64,
}

#[derive(Default)]
struct Counts(Vec<u8>);

/// What became of it all.
pub(super) struct Verdict {
    calls: Line,
    streams: Line,
    events: Line,
    cut: u64,
}

/// What became of one kind.
struct Line {
    name: &'static str,
    all: u64,
    lost: u64,
    twice: u64,
    why: BTreeMap<String, u64>,
}

impl Ledger {
    pub(super) fn enter(&mut self, handled: Handled) {
        self.calls.enter(&handled.calls);
        self.events.enter(&handled.events);
        self.cut += handled.cut;
    }

    /// A call is lost whose caller was not answered; an event that was published, and that nobody handled.
    pub(super) fn judge(&self, load: &Load) -> Verdict {
        let calls = Line::new("calls", &load.calls, self.calls.twice());
        let mut events = Line::new("events of a queue group", &load.events, self.events.twice());
        events.lost = events.all.saturating_sub(self.events.at_least_once());
        Verdict {
            calls,
            streams: Line::new("streams", &load.streams, 0),
            events,
            cut: self.cut,
        }
    }
}

impl Counts {
    fn enter(&mut self, numbers: &[u64]) {
        for &number in numbers {
            let at = number as usize;
            if at >= self.0.len() {
                self.0.resize(at + 1, 0);
            }
            self.0[at] = self.0[at].saturating_add(1);
        }
    }

    fn at_least_once(&self) -> u64 {
        self.0.iter().filter(|times| **times > 0).count() as u64
    }

    fn twice(&self) -> u64 {
        self.0.iter().filter(|times| **times > 1).count() as u64
    }
}

impl Line {
    fn new(name: &'static str, kind: &Kind, twice: u64) -> Self {
        let why = kind.failed();
        Line {
            name,
            all: kind.all(),
            lost: why.values().sum(),
            twice,
            why,
        }
    }
}

impl Verdict {
    fn lines(&self) -> [&Line; 3] {
        [&self.streams, &self.events, &self.calls]
    }

    pub(super) fn is_good(&self) -> bool {
        let good = |line: &Line| line.lost == 0 && line.twice == 0;
        self.cut == 0 && self.lines().into_iter().all(good)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "cut by a stop: {}", self.cut)?;
        for line in self.lines() {
            for (why, times) in &line.why {
                writeln!(f, "  {times} {}: {why}", line.name)?;
            }
            writeln!(
                f,
                "{}: {} lost of {}, {} handled twice",
                line.name, line.lost, line.all, line.twice
            )?;
        }
        write!(f, "{} lost of {}", self.calls.lost, self.calls.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_handled_is_missing_and_what_two_did_is_told() {
        let mut counts = Counts::default();
        counts.enter(&[0, 4, 2]);
        counts.enter(&[4]);
        assert_eq!((counts.at_least_once(), counts.twice()), (3, 1));
    }
}
