//! What a client does when a call says nothing else.

use std::time::Duration;

use crate::client::{Backoff, Hedge, RetryBudget};
use crate::selector::OutlierDetection;

/// The defaults and limits of a client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientOptions {
    /// How long a unary call may take, with all its attempts. Streams have no limit of their own. Default: 5 s.
    pub request_timeout: Duration,
    /// How many times a call that may have run is made again, when it says that it is idempotent. A call that was
    /// never delivered is made again on every other node, whatever this says. Default: 1.
    pub retries: u32,
    /// How much load retries and hedges may add. Default: a fifth, and 500 at once.
    pub retry_budget: RetryBudget,
    /// How long to wait before a call is made again that may have run. Default: 25 ms at most, and twice as long each
    /// time.
    pub backoff: Backoff,
    /// When a unary call that is idempotent is made on a second node beside the first. Default: never.
    pub hedge: Option<Hedge>,
    /// How long a dial may take. Default: 5 s.
    pub dial_timeout: Duration,
    /// How many calls may be in flight to one node; more are refused with `ResourceExhausted`. Default: 65,536.
    pub max_in_flight: usize,
    /// How many items of one stream wait for a slow reader before its handler is to wait, beside the message that is being
    /// read. It counts for at least 256 with peers that understand packs of items, and at most 1 MiB of items waits, and one
    /// message, whatever this says. Default: 16,384.
    pub stream_capacity: usize,
    /// How long a socket without calls is kept. Default: 60 s.
    pub idle_timeout: Duration,
    /// When a node that fails gets no calls for a while. Default: after 5 failures in a row, for 1 s at first.
    pub outlier_detection: OutlierDetection,
}

impl Default for ClientOptions {
    fn default() -> Self {
        ClientOptions {
            request_timeout: Duration::from_secs(5),
            retries: 1,
            retry_budget: RetryBudget::default(),
            backoff: Backoff::default(),
            hedge: None,
            dial_timeout: Duration::from_secs(5),
            max_in_flight: 65_536,
            stream_capacity: 16_384,
            idle_timeout: Duration::from_secs(60),
            outlier_detection: OutlierDetection::default(),
        }
    }
}

impl ClientOptions {
    /// Bounds unary calls.
    #[must_use]
    pub fn with_request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// Sets how many times an idempotent call that may have run is made again.
    #[must_use]
    pub fn with_retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Sets how much load retries and hedges may add.
    #[must_use]
    pub fn with_retry_budget(mut self, budget: RetryBudget) -> Self {
        self.retry_budget = budget;
        self
    }

    /// Sets how long to wait before a call is made again that may have run.
    #[must_use]
    pub fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets when a unary call that is idempotent is made on a second node beside the first.
    #[must_use]
    pub fn with_hedge(mut self, hedge: Hedge) -> Self {
        self.hedge = Some(hedge);
        self
    }

    /// Bounds dials.
    #[must_use]
    pub fn with_dial_timeout(mut self, timeout: Duration) -> Self {
        self.dial_timeout = timeout;
        self
    }

    /// Bounds the calls in flight to one node.
    #[must_use]
    pub fn with_max_in_flight(mut self, calls: usize) -> Self {
        self.max_in_flight = calls;
        self
    }

    /// Bounds the items of one stream that wait.
    #[must_use]
    pub fn with_stream_capacity(mut self, items: usize) -> Self {
        self.stream_capacity = items.max(1);
        self
    }

    /// Sets how long a socket without calls is kept.
    #[must_use]
    pub fn with_idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// Sets when a node that fails gets no calls for a while.
    #[must_use]
    pub fn with_outlier_detection(mut self, outliers: OutlierDetection) -> Self {
        self.outlier_detection = outliers;
        self
    }
}
