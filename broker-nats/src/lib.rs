//! broker-nats
