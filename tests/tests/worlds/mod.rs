//! Where the suites get this workspace's own backends.

mod memory;
mod nats;

pub(crate) use memory::MemoryWorld;
pub(crate) use nats::NatsWorld;
