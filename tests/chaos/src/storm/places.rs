//! What befalls instances, and the ways of processes to the servers.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use fastrand::Rng;
use tokio::time::sleep;

use super::link::Link;
use super::weather::{Faults, seconds};
use crate::instance::Handled;
use crate::process::Instance;
use crate::proxy::Flow;

/// How long a frozen instance stays frozen at most, in seconds.
const FROZEN: f64 = 10.0;

/// The instances, their ways, and the caller's.
pub(super) struct Places {
    places: Vec<Place>,
    caller: Arc<Link>,
}

/// An instance, and its way to the servers.
struct Place {
    link: Link,
    /// `None` while there is none.
    instance: Option<Instance>,
}

/// What can befall them. The first instance is never ended, so that its memory can be followed.
#[derive(Clone, Copy, Debug)]
pub(super) enum PlaceFault {
    Cut,
    Stalled,
    Late,
    SendsNothing,
    HearsNothing,
    InstanceKilled,
    InstanceFrozen,
    InstanceRestarted,
}

impl Places {
    /// Starts the instances.
    pub(super) async fn start(links: Vec<Link>, caller: Arc<Link>) -> Result<Self> {
        let mut places = Vec::new();
        for link in links {
            let instance = Some(Instance::start(&link.url(), &[]).await?);
            places.push(Place { link, instance });
        }
        Ok(Places { places, caller })
    }

    /// Memory of the first instance, in MiB.
    pub(super) fn memory(&self) -> Result<f64> {
        let first = self.places.first().and_then(|place| place.instance.as_ref());
        first.context("the first instance is always there")?.memory()
    }

    /// Stops all instances, and returns what they said.
    pub(super) async fn stop(self) -> Result<Vec<Handled>> {
        let mut said = Vec::new();
        for place in self.places {
            // Its way to the servers stays as long as it does.
            if let Some(instance) = place.instance {
                said.push(instance.stop().await?);
            }
        }
        Ok(said)
    }

    /// The way of the caller, or of an instance.
    fn any_link(&self, rng: &mut Rng) -> &Link {
        match rng.bool() {
            true => &self.caller,
            false => &self.places[rng.usize(..self.places.len())].link,
        }
    }

    async fn rough(&self, up: Flow, down: Flow, rng: &mut Rng) {
        let link = self.any_link(rng);
        link.set(up, down);
        sleep(seconds(rng, 0.2..6.0)).await;
        link.heal();
    }
}

impl Faults for Places {
    type Fault = PlaceFault;

    const ALL: &[PlaceFault] = &[
        PlaceFault::Cut,
        PlaceFault::Stalled,
        PlaceFault::Late,
        PlaceFault::SendsNothing,
        PlaceFault::HearsNothing,
        PlaceFault::InstanceKilled,
        PlaceFault::InstanceFrozen,
        PlaceFault::InstanceRestarted,
    ];

    async fn strike(&mut self, fault: PlaceFault, rng: &mut Rng) -> Result<()> {
        match fault {
            PlaceFault::Cut => self.any_link(rng).cut(),
            PlaceFault::Stalled => self.rough(Flow::Stalls, Flow::Stalls, rng).await,
            PlaceFault::Late => {
                let late = Flow::Late(Duration::from_millis(rng.u64(20..500)));
                self.rough(late, late, rng).await;
            }
            PlaceFault::SendsNothing => self.rough(Flow::Vanishes, Flow::Passes, rng).await,
            PlaceFault::HearsNothing => self.rough(Flow::Passes, Flow::Vanishes, rng).await,
            PlaceFault::InstanceKilled => {
                let place = self.any_but_first(rng);
                if let Some(instance) = place.instance.take() {
                    instance.kill().await?;
                }
                place.refill().await?;
            }
            PlaceFault::InstanceFrozen => {
                let place = &self.places[rng.usize(..self.places.len())];
                let instance = place.instance.as_ref().context("an instance")?;
                instance.signal("STOP").await?;
                sleep(seconds(rng, 0.5..FROZEN)).await;
                instance.signal("CONT").await?;
            }
            PlaceFault::InstanceRestarted => {
                let place = self.any_but_first(rng);
                if let Some(instance) = place.instance.take() {
                    instance.stop_anyhow().await?;
                }
                place.refill().await?;
            }
        }
        Ok(())
    }
}

impl Places {
    fn any_but_first(&mut self, rng: &mut Rng) -> &mut Place {
        let number = rng.usize(1..self.places.len());
        &mut self.places[number]
    }
}

impl Place {
    /// Starts an instance, though servers may be away: one that cannot start is started again, as operators do.
    async fn refill(&mut self) -> Result<()> {
        let mut tries = 0;
        loop {
            match Instance::start(&self.link.url(), &[]).await {
                Ok(instance) => {
                    self.instance = Some(instance);
                    return Ok(());
                }
                Err(error) if tries == 20 => return Err(error),
                Err(_) => tries += 1,
            }
            sleep(Duration::from_millis(500)).await;
        }
    }
}
