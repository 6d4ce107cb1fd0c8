//! The limits of a server.

use crate::observe::Methods;

/// The limits of a server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// How many requests run at once; more are refused with `ResourceExhausted`, and the handler is not started.
    /// Default: 10,000.
    pub max_concurrent_requests: usize,
    /// How many items of one incoming stream wait for its handler before its caller is to wait, beside the message that
    /// the handler is reading. It counts for at least 256 with peers that understand packs of items, and at most 1 MiB of
    /// items waits, and one message, whatever this says. Default: 16,384.
    pub stream_capacity: usize,
    /// What its methods are called in spans and metrics. Default: whatever callers call them.
    pub methods: Methods,
}

impl Default for ServerOptions {
    fn default() -> Self {
        ServerOptions {
            max_concurrent_requests: 10_000,
            stream_capacity: 16_384,
            methods: Methods::default(),
        }
    }
}

impl ServerOptions {
    /// Bounds the requests that run at once.
    #[must_use]
    pub fn with_max_concurrent_requests(mut self, requests: usize) -> Self {
        self.max_concurrent_requests = requests;
        self
    }

    /// Bounds the items of one incoming stream that wait.
    #[must_use]
    pub fn with_stream_capacity(mut self, items: usize) -> Self {
        self.stream_capacity = items.max(1);
        self
    }

    /// Tells spans and metrics what its methods are called.
    #[must_use]
    pub fn with_methods(mut self, methods: Methods) -> Self {
        self.methods = methods;
        self
    }
}
