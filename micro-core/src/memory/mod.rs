//! The backends that need nothing installed: all three contracts inside one process.
//!
//! They are the default, and the reference for authors of other backends: as harsh as a network, with bounded
//! queues, the same errors and the same losses, so that what passes here passes there.
//!
//! Everything happens in a *world*. Instances of one world see each other, as processes do that use the same
//! servers; a world of its own is what a test wants.
//!
//! ```
//! use micro_core::memory::MemoryBroker;
//! use micro_core::{Broker, Message, SubscribeOptions};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> micro_core::Result<()> {
//! let (here, there) = (MemoryBroker::named("docs"), MemoryBroker::named("docs"));
//! let mut subscription = there.subscribe("greetings", SubscribeOptions::default()).await?;
//! here.publish("greetings", Message::new("hello")).await?;
//! assert_eq!(subscription.recv().await.unwrap()?.body(), "hello");
//! # Ok(()) }
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::plugin::{PluginConfig, Plugins};

mod broker;
mod registry;
#[cfg(test)]
mod tests;
mod transport;

pub use broker::MemoryBroker;
pub use registry::MemoryRegistry;
pub use transport::MemoryTransport;

/// The name by which flags choose these backends.
pub const NAME: &str = "memory";

/// The world that is opened where no address names another.
pub const DEFAULT_WORLD: &str = "default";

/// Adds the three backends. The first address that one is opened with names its world.
pub fn register(plugins: &mut Plugins) {
    plugins.transport.register(NAME, async |config: PluginConfig| {
        Ok(Arc::new(MemoryTransport::named(world_of(&config))) as _)
    });
    plugins.broker.register(NAME, async |config: PluginConfig| {
        Ok(Arc::new(MemoryBroker::named(world_of(&config))) as _)
    });
    plugins.registry.register(NAME, async |config: PluginConfig| {
        Ok(Arc::new(MemoryRegistry::named(world_of(&config))) as _)
    });
}

fn world_of(config: &PluginConfig) -> &str {
    config.addresses.first().map_or(DEFAULT_WORLD, String::as_str)
}

/// The worlds of one contract that the whole process can reach, by name.
///
/// It keeps none of them alive, and sweeps out those that ended whenever one is opened: so it never holds more
/// names than worlds were alive at once.
struct Worlds<W>(Mutex<BTreeMap<String, Weak<W>>>);

impl<W: Default> Worlds<W> {
    const fn new() -> Self {
        Worlds(Mutex::new(BTreeMap::new()))
    }

    fn open(&self, name: &str) -> Arc<W> {
        let mut worlds = self.0.lock();
        worlds.retain(|_, world| world.strong_count() > 0);
        if let Some(world) = worlds.get(name).and_then(Weak::upgrade) {
            return world;
        }
        let world = Arc::new(W::default());
        worlds.insert(name.to_owned(), Arc::downgrade(&world));
        world
    }
}
