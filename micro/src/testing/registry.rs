//! A registry with the network's faults in front of it.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream;
use micro_core::registry::{RegisterOptions, WatchOptions};
use micro_core::{Change, Error, ErrorKind, Registry, Result, ServiceRecord, Watcher};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::sleep;

use super::faults::{Dice, Fate};
use super::held::Held;
use super::life::Life;
use super::network::Traffic;

/// A [`Registry`] of one host.
#[derive(Debug)]
pub(super) struct TestRegistry {
    life: Arc<Life>,
    below: Arc<dyn Registry>,
    dice: Mutex<Dice>,
}

impl TestRegistry {
    pub(super) fn new(life: Arc<Life>, below: Arc<dyn Registry>) -> Self {
        let dice = Mutex::new(life.network.dice(&format!("registry {}", life.host)));
        TestRegistry { life, below, dice }
    }

    /// What every request meets on its way.
    async fn pass(&self, operation: &'static str) -> Result<()> {
        let fate = self
            .dice
            .lock()
            .roll(&self.life.network.faults(Traffic::Registry));
        if !fate.delay.is_zero() {
            sleep(fate.delay).await;
        }
        self.life
            .check()
            .map_err(|error| error.with_operation(operation))?;
        match fate.lost {
            true => Err(Error::new(
                ErrorKind::Unavailable,
                "the request was lost, as the testbed was told",
            )
            .with_operation(operation)),
            false => Ok(()),
        }
    }

    /// Takes out what this host cannot hear of.
    fn visible(&self, mut records: Vec<ServiceRecord>) -> Vec<ServiceRecord> {
        let network = &self.life.network;
        records.retain_mut(|record| !(network.hide(&self.life.host, record) && record.nodes.is_empty()));
        records
    }
}

#[async_trait]
impl Registry for TestRegistry {
    fn name(&self) -> &'static str {
        self.below.name()
    }

    async fn register(&self, service: &ServiceRecord, options: RegisterOptions) -> Result<()> {
        self.pass("register").await?;
        // Before others can see it.
        self.life.network.own(&self.life.host, service);
        self.below.register(service, options).await
    }

    async fn deregister(&self, service: &ServiceRecord) -> Result<()> {
        self.pass("deregister").await?;
        self.below.deregister(service).await
    }

    async fn get(&self, name: &str) -> Result<Vec<ServiceRecord>> {
        self.pass("get").await?;
        let found = self.visible(self.below.get(name).await?);
        match found.is_empty() {
            true => Err(Error::new(
                ErrorKind::NotFound,
                "a partition parts this host from all who serve it",
            )
            .with_operation("get")
            .with_context("service", name)),
            false => Ok(found),
        }
    }

    async fn list(&self) -> Result<Vec<ServiceRecord>> {
        self.pass("list").await?;
        Ok(self.visible(self.below.list().await?))
    }

    async fn watch(&self, options: WatchOptions) -> Result<Watcher> {
        self.pass("watch").await?;
        let watching = Watching {
            below: self.below.watch(options).await?,
            dice: self.life.network.dice(&format!("watcher {}", self.life.host)),
            parted: self.life.network.changes(),
            life: self.life.clone(),
            held: Held::new(),
            missed: false,
            ended: false,
        };
        let changes = stream::unfold(watching, async |mut watching| {
            let change = watching.next().await?;
            Some((change, watching))
        });
        Ok(Watcher::new(changes))
    }
}

struct Watching {
    below: Watcher,
    life: Arc<Life>,
    dice: Dice,
    held: Held<Seen>,
    /// Tells of changes of who reaches whom.
    parted: watch::Receiver<u64>,
    /// Whether a change was hidden by a partition, and the watcher does not know yet.
    missed: bool,
    /// Nothing more comes from below.
    ended: bool,
}

#[derive(Clone)]
enum Seen {
    Change(Change),
    /// Where one was lost.
    Loss,
}

impl Watching {
    async fn next(&mut self) -> Option<Result<Change>> {
        loop {
            match self.held.take() {
                Some(Seen::Change(change)) => return Some(Ok(change)),
                Some(Seen::Loss) => return Some(Err(missing("a change was lost, as the testbed was told"))),
                None if self.ended && self.held.is_empty() => return None,
                None => {}
            }
            tokio::select! {
                biased;
                () = self.life.over() => return None,
                () = self.held.wait() => {}
                Ok(()) = self.parted.changed() => if std::mem::take(&mut self.missed) {
                    return Some(Err(missing("who reaches whom has changed")));
                },
                change = self.below.recv(), if !self.ended && self.held.has_room() => match change {
                    Ok(change) => self.arrive(change),
                    Err(error) if error.kind() == ErrorKind::Closed => self.ended = true,
                    Err(error) => return Some(Err(error)),
                },
            }
        }
    }

    fn arrive(&mut self, mut change: Change) {
        if self.life.network.hide(&self.life.host, &mut change.service) {
            self.missed = true;
            if change.service.nodes.is_empty() {
                return;
            }
        }
        let Fate {
            lost, twice, delay, ..
        } = self.dice.roll(&self.life.network.faults(Traffic::Registry));
        let seen = match lost {
            true => Seen::Loss,
            false => Seen::Change(change),
        };
        if twice {
            self.held.hold(seen.clone(), delay);
        }
        self.held.hold(seen, delay);
    }
}

fn missing(reason: &str) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("{reason}: changes may be missing"),
    )
    .with_operation("watch")
}
