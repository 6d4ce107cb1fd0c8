//! nats-common
