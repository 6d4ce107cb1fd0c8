//! When a node is set aside, and for how long: outlier detection.

use std::time::Duration;

use crate::rpc::{Code, Status};

/// When a node gets no calls for a while, though the registry lists it: outlier detection, as Envoy and gRPC have it.
///
/// A node that is **gone or leaving** (nobody is at its address, its socket broke, it said that it is stopping) is set
/// aside at once. One that says that it is **full** is so for a moment (50 ms to 1 s), which takes load off it. One that
/// **fails** calls in a row (`Unavailable`, or no answer before the deadline) is, too, within the share below; any
/// other answer in between is a sign of health, whatever it says.
///
/// When its time is over, one call is sent there to see. It comes back with an answer to that, and else stays aside for
/// twice as long. A word of the registry that the node is there brings that call forward; one that it has gone is final.
/// Never are all nodes aside: when none is left, all are called again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OutlierDetection {
    /// After how many failures in a row. Default: 5; with 0, failures set no node aside.
    pub consecutive_failures: u32,
    /// For how long at first, 20 % more or less. It doubles each time. Default: 1 s.
    pub base_ejection: Duration,
    /// For how long at most, 20 % more or less. Default: 60 s.
    pub max_ejection: Duration,
    /// Which share of the nodes at most are aside when failures set one more aside. Default: 0.5.
    pub max_share: f64,
}

impl Default for OutlierDetection {
    fn default() -> Self {
        OutlierDetection {
            consecutive_failures: 5,
            base_ejection: Duration::from_secs(1),
            max_ejection: Duration::from_secs(60),
            max_share: 0.5,
        }
    }
}

impl OutlierDetection {
    /// Sets after how many failures in a row.
    #[must_use]
    pub fn with_consecutive_failures(mut self, failures: u32) -> Self {
        self.consecutive_failures = failures;
        self
    }

    /// Sets for how long at first and at most.
    #[must_use]
    pub fn with_ejection(mut self, base: Duration, max: Duration) -> Self {
        self.base_ejection = base.max(Duration::from_millis(1));
        self.max_ejection = max.max(self.base_ejection);
        self
    }

    /// Sets the share, from 0 to 1.
    #[must_use]
    pub fn with_max_share(mut self, share: f64) -> Self {
        self.max_share = share.clamp(0.0, 1.0);
        self
    }

    /// For how long a node is set aside that was so this many times before.
    pub(super) fn ejection(&self, cause: Verdict, times: u32) -> Duration {
        let (base, max) = match cause {
            Verdict::Full => (FULL, MAX_FULL),
            _ => (self.base_ejection, self.max_ejection),
        };
        base.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX))
            .min(max)
    }
}

/// How long a node that is full is spared at first, and at most: about as long as calls take.
const FULL: Duration = Duration::from_millis(50);
const MAX_FULL: Duration = Duration::from_secs(1);

/// What the end of a call says of its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is there.
    Answered,
    /// Nobody is there, or it takes no more calls.
    Gone,
    /// It takes no more calls at this moment.
    Full,
    /// It did not do its work this time.
    Failed,
}

impl Verdict {
    /// `None` when it says nothing of the node, such as of a call that its caller gave up.
    pub(crate) fn of(status: &Status) -> Option<Self> {
        let (never, peer) = (status.is_never_delivered(), status.is_from_peer());
        match status.code() {
            // A handler that says so of what it needs does not make its node unreachable.
            Code::Unavailable if peer && !never => Some(Verdict::Failed),
            Code::Unavailable => Some(Verdict::Gone),
            Code::ResourceExhausted if never && peer => Some(Verdict::Full),
            Code::DeadlineExceeded if !never && !peer => Some(Verdict::Failed),
            _ => peer.then_some(Verdict::Answered),
        }
    }
}
