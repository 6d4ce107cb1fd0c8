//! Where the suites get this workspace's own backends.

mod memory;

pub(crate) use memory::MemoryWorld;
