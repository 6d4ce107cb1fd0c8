#![doc = include_str!("lib.md")]

mod config;
mod control;
mod end;
mod ending;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod go_micro;
mod ignored;
mod inbound;
mod keeper;
mod listener;
mod native;
mod peer;
mod receiver;
mod sender;
mod socket;
mod state;
mod transport;
mod undelivered;

use std::sync::Arc;

use micro_core::{Plugins, Transport};

pub use config::Encoding;
pub use ignored::Ignored;
pub use peer::SOCKET_KEY;
pub use transport::NatsTransport;

/// The name by which a flag chooses this transport.
pub const NAME: &str = "nats";

/// Adds this transport to the table.
pub fn register(plugins: &mut Plugins) {
    plugins.transport.register(NAME, |config| async move {
        Ok(Arc::new(NatsTransport::connect(&config).await?) as Arc<dyn Transport>)
    });
}
