//! registry-nats
