//! Where the suites get this workspace's own backends.

pub(crate) mod events;
mod lossy;
mod memory;
mod nats;
mod process;

pub(crate) use memory::MemoryWorld;
pub(crate) use nats::NatsWorld;
