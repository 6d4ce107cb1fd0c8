//! Several servers that know each other.

use std::collections::BTreeSet;
use std::time::Instant;

use tokio::time::sleep;

use super::{LIMIT, NatsServer, POLL};

/// Servers that form one cluster, on the loopback interface. Dropping it kills them all.
pub struct NatsCluster {
    servers: Vec<NatsServer>,
}

/// Settings of a cluster to be started.
pub struct NatsClusterBuilder {
    count: usize,
    config: String,
    advertised: bool,
}

/// How one server takes part.
pub(super) struct Route {
    name: String,
    /// The first server, by which the others find the rest.
    seed: Option<u16>,
    advertised: bool,
}

impl NatsCluster {
    /// Starts `count` servers, and returns once each has a route to every other.
    ///
    /// # Panics
    /// When there is no `nats-server`, or that takes longer than 10 s for one step.
    ///
    /// # Cancel safety
    /// Nothing is left behind: the servers are killed.
    pub async fn start(count: usize) -> Self {
        Self::builder(count).start().await
    }

    /// Settings to start `count` servers with.
    pub fn builder(count: usize) -> NatsClusterBuilder {
        NatsClusterBuilder {
            count,
            config: String::new(),
            advertised: true,
        }
    }

    /// The servers, in the order in which they were started.
    pub fn servers(&self) -> &[NatsServer] {
        &self.servers
    }

    /// One server, to be killed, frozen or restarted.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn server(&mut self, index: usize) -> &mut NatsServer {
        &mut self.servers[index]
    }

    /// Where clients connect: all servers, separated by commas.
    pub fn url(&self) -> String {
        self.servers
            .iter()
            .map(NatsServer::url)
            .collect::<Vec<_>>()
            .join(",")
    }

    /// Waits until every server that runs has a route to every other that does.
    ///
    /// # Panics
    /// When that takes longer than 10 s.
    ///
    /// # Cancel safety
    /// Safe: it changes nothing.
    pub async fn until_joined(&self) {
        let running: Vec<_> = self
            .servers
            .iter()
            .filter(|server| server.pid().is_some())
            .collect();
        let start = Instant::now();
        for server in &running {
            while server.peers().await + 1 < running.len() {
                assert!(
                    start.elapsed() < LIMIT,
                    "no cluster within {LIMIT:?}\n{}",
                    server.log()
                );
                sleep(POLL).await;
            }
        }
    }
}

impl NatsClusterBuilder {
    /// Adds lines to the configuration file of each server.
    #[must_use]
    pub fn config(mut self, text: &str) -> Self {
        self.config.push_str(text);
        self.config.push('\n');
        self
    }

    /// Tells clients nothing of the other servers, so that they use the addresses they were given and no other.
    #[must_use]
    pub fn unadvertised(mut self) -> Self {
        self.advertised = false;
        self
    }

    /// Starts the servers, and returns once each has a route to every other.
    ///
    /// # Panics
    /// As [`NatsCluster::start`].
    ///
    /// # Cancel safety
    /// Nothing is left behind: the servers are killed.
    pub async fn start(self) -> NatsCluster {
        let mut servers: Vec<NatsServer> = Vec::with_capacity(self.count);
        for index in 0..self.count {
            let mut builder = NatsServer::builder().config(&self.config);
            builder.0.route = Some(Route {
                name: format!("node-{index}"),
                seed: servers.first().map(|seed| seed.ports.cluster),
                advertised: self.advertised,
            });
            servers.push(builder.start().await);
        }
        let cluster = NatsCluster { servers };
        cluster.until_joined().await;
        cluster
    }
}

impl NatsServer {
    /// How many other servers it has a route to; to each it may have several.
    pub(super) async fn peers(&self) -> usize {
        let routes = self.monitor("/routez").await;
        let routes = routes["routes"].as_array().into_iter().flatten();
        routes
            .filter_map(|route| route["remote_id"].as_str())
            .collect::<BTreeSet<_>>()
            .len()
    }
}

impl Route {
    /// The lines of the configuration file; `port` is zero for a free one.
    pub(super) fn config(&self, port: u16) -> String {
        let port = if port == 0 { -1 } else { i32::from(port) };
        let seed = self
            .seed
            .map(|seed| format!("\"nats://127.0.0.1:{seed}\""))
            .unwrap_or_default();
        format!(
            "server_name: {}\ncluster {{ name: micro, listen: \"127.0.0.1:{port}\", routes: [{seed}], \
             no_advertise: {} }}\n",
            self.name, !self.advertised
        )
    }
}
