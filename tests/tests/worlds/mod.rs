//! Where the suites get this workspace's own backends.

pub(crate) mod events;
mod memory;
mod nats;

pub(crate) use memory::MemoryWorld;
pub(crate) use nats::NatsWorld;
