//! The way of one process to the servers: a proxy in front of each.

use anyhow::Result;
use nats_testing::NatsCluster;

use crate::proxy::{Flow, Proxy};

/// Proxies, by the number of their server.
pub(super) struct Link {
    proxies: Vec<Proxy>,
    /// The server that is connected to first.
    first: usize,
}

impl Link {
    /// To all servers, in order from this one on.
    pub(super) async fn new(cluster: &NatsCluster, first: usize) -> Result<Self> {
        let mut proxies = Vec::new();
        for server in cluster.servers() {
            proxies.push(Proxy::start(server.address()).await?);
        }
        Ok(Link { proxies, first })
    }

    /// Where the process connects.
    pub(super) fn url(&self) -> String {
        let in_order = self.proxies.iter().cycle().skip(self.first);
        let urls: Vec<_> = in_order.take(self.proxies.len()).map(Proxy::url).collect();
        urls.join(",")
    }

    /// The number of the server that is used; the first when none is.
    pub(super) fn used(&self) -> usize {
        self.proxies.iter().position(Proxy::is_used).unwrap_or(self.first)
    }

    pub(super) fn set(&self, up: Flow, down: Flow) {
        self.proxies.iter().for_each(|proxy| proxy.set(up, down));
    }

    /// As it is on a good day.
    pub(super) fn heal(&self) {
        self.set(Flow::Passes, Flow::Passes);
    }

    pub(super) fn cut(&self) {
        self.proxies.iter().for_each(Proxy::cut);
    }
}
