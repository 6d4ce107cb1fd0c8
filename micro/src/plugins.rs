//! The backends that every service can choose from.

use micro_core::memory;
use micro_core::plugin::Plugins;

/// The default table of plugins: `memory`, and `nats` with the feature of that name, which is on by default.
///
/// A program with backends of its own adds them to this table and hands it to
/// [`Service::from_args_with`](crate::Service::from_args_with) or
/// [`ServiceBuilder::plugins`](crate::ServiceBuilder::plugins).
///
/// ```
/// let mut plugins = micro::default_plugins();
/// plugins.broker.register("mine", async |_| Ok(std::sync::Arc::new(micro::memory::MemoryBroker::new()) as _));
/// assert!(plugins.broker.check("mine").is_ok());
/// ```
pub fn default_plugins() -> Plugins {
    let mut plugins = Plugins::new();
    memory::register(&mut plugins);
    #[cfg(feature = "nats")]
    {
        transport_nats::register(&mut plugins);
        broker_nats::register(&mut plugins);
        registry_nats::register(&mut plugins);
    }
    plugins
}
