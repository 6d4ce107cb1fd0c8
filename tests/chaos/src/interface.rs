//! What the service does, and the events that it hears.

use std::time::Duration;

use micro::{Backends, BackendsConfig, Context, PluginChoice, Status, Streaming, default_plugins};
use serde::{Deserialize, Serialize};

/// What the service is called.
pub(crate) const NAME: &str = "chaos";

/// The topic of the events, and the group of those who hear them.
pub(crate) const EVENTS: &str = "chaos.events";
pub(crate) const GROUP: &str = "workers";

/// What is asked for.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    /// Nobody else asks with this number.
    pub(crate) id: u64,
    /// How long the work takes, or one item of it, in microseconds.
    pub(crate) pause: u64,
    /// How many items a stream is to have.
    pub(crate) items: u64,
}

impl Task {
    /// A task that takes no time.
    pub(crate) fn new(id: u64) -> Self {
        Task {
            id,
            pause: 0,
            items: 0,
        }
    }

    pub(crate) fn pause(&self) -> Duration {
        Duration::from_micros(self.pause)
    }
}

/// One number a call or an event has, and that comes back.
#[micro::service(name = "chaos")]
pub(crate) trait Work {
    /// Answers with the number of the task.
    async fn once(&self, context: &Context, task: Task) -> Result<u64, Status>;
    /// Answers with the numbers from 0 on.
    async fn many(&self, context: &Context, task: Task) -> Result<Streaming<u64>, Status>;
    /// Answers with how many tasks came.
    async fn count(&self, context: &Context, tasks: Streaming<Task>) -> Result<u64, Status>;
    /// Answers each task with its number.
    async fn each(&self, context: &Context, tasks: Streaming<Task>) -> Result<Streaming<u64>, Status>;
}

/// All three backends at these servers.
pub(crate) fn plugins(servers: &str) -> BackendsConfig {
    let nats = PluginChoice::new("nats").with_addresses(servers);
    let mut config = BackendsConfig::default();
    config.transport = nats.clone();
    config.broker = nats.clone();
    config.registry = nats;
    config
}

/// What a caller needs.
pub(crate) async fn caller(servers: &str) -> micro::Result<Backends> {
    Backends::open("chaos-caller", &plugins(servers), &default_plugins()).await
}
