#![doc = include_str!("testing.md")]

mod backing;
mod broker;
#[cfg(feature = "nats")]
mod clock;
mod faults;
mod held;
mod host;
mod life;
mod link;
mod name;
mod network;
mod registry;
mod release;
mod script;
mod testbed;
mod transport;
mod trouble;

pub use faults::Faults;
pub use host::Host;
pub use script::{Received, ScriptedClient, ScriptedService, ScriptedStream};
pub use testbed::Testbed;
