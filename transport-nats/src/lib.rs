//! transport-nats
