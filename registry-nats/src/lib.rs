#![doc = include_str!("lib.md")]

mod answers;
mod config;
mod due;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod hub;
mod ledger;
mod own;
mod patience;
mod query;
mod registry;
mod responder;
mod table;
mod ttl;
mod watch;
mod wire;

use std::sync::Arc;

use micro_core::plugin::Plugins;
use micro_core::registry::Registry;

pub use config::{RegistryOptions, Topics};
pub use registry::NatsRegistry;

/// The name by which a flag chooses it: `--registry=nats`.
pub const NAME: &str = "nats";

/// Adds it to the table of registries.
pub fn register(plugins: &mut Plugins) {
    plugins.registry.register(NAME, |config| async move {
        let registry = NatsRegistry::connect(&config).await?;
        Ok(Arc::new(registry) as Arc<dyn Registry>)
    });
}
