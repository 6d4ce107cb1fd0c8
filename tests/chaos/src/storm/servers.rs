//! What befalls the servers.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use fastrand::Rng;
use nats_testing::NatsCluster;
use tokio::time::sleep;

use super::link::Link;
use super::weather::{Faults, seconds};

/// How long a frozen server stays frozen.
const FROZEN: Duration = Duration::from_secs(10);

/// A cluster, and the way of a process whose server is struck.
pub(super) struct Servers {
    pub(super) cluster: NatsCluster,
    pub(super) victim: Arc<Link>,
}

/// What can befall the server that the victim is connected to, or all.
#[derive(Clone, Copy, Debug)]
pub(super) enum ServerFault {
    Restarted,
    Killed,
    Frozen,
    LameDuck,
    AllKilled,
}

impl Faults for Servers {
    type Fault = ServerFault;

    const ALL: &[ServerFault] = &[
        ServerFault::Restarted,
        ServerFault::Killed,
        ServerFault::Frozen,
        ServerFault::LameDuck,
        ServerFault::AllKilled,
    ];

    async fn strike(&mut self, fault: ServerFault, rng: &mut Rng) -> Result<()> {
        let count = self.cluster.servers().len();
        let server = self.cluster.server(self.victim.used());
        match fault {
            ServerFault::Restarted => server.restart().await,
            ServerFault::Killed => {
                server.kill().await;
                sleep(seconds(rng, 0.0..3.0)).await;
                server.restart().await;
            }
            ServerFault::Frozen => {
                server.freeze().await;
                sleep(FROZEN).await;
                server.thaw().await;
            }
            ServerFault::LameDuck => {
                server.lame_duck().await;
                server.restart().await;
            }
            ServerFault::AllKilled => {
                for number in 0..count {
                    self.cluster.server(number).kill().await;
                }
                sleep(seconds(rng, 0.0..2.0)).await;
                for number in 0..count {
                    self.cluster.server(number).restart().await;
                }
            }
        }
        self.cluster.until_joined().await;
        Ok(())
    }
}
