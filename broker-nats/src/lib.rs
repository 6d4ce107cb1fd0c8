#![doc = include_str!("lib.md")]

mod broker;
mod encoding;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod inbound;
mod native;
mod pausing;
mod subscription;

use std::sync::Arc;

use micro_core::broker::Broker;
use micro_core::plugin::Plugins;

pub use broker::NatsBroker;
pub use encoding::Encoding;

/// The name by which a flag chooses it: `--broker=nats`.
pub const NAME: &str = "nats";

/// Adds it to the table of brokers.
pub fn register(plugins: &mut Plugins) {
    plugins.broker.register(NAME, |config| async move {
        let broker = NatsBroker::connect(&config).await?;
        Ok(Arc::new(broker) as Arc<dyn Broker>)
    });
}
