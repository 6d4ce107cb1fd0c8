//! One shared NATS connection for the plugins of micro, and go-micro's envelope.

pub mod envelope;
