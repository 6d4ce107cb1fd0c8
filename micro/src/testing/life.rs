//! One life of a host: from its start, or restart, until it is killed.

use std::fmt;
use std::sync::{Arc, Weak};

use micro_core::{Broker, Error, ErrorKind, Registry, Result, Transport};
use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::backing::{Backing, Line};
use super::broker::TestBroker;
use super::network::{Name, Network};
use super::registry::TestRegistry;
use super::transport::TestTransport;

/// What one life of a host shares. It connects when its backends are first asked for.
pub(super) struct Life {
    pub(super) host: Name,
    pub(super) network: Arc<Network>,
    backing: Arc<Backing>,
    line: OnceCell<Line>,
    over: CancellationToken,
    registries: Mutex<Registries>,
    /// What others would notice of it, and that goes when it is killed.
    held: Mutex<Vec<Weak<dyn Release>>>,
}

/// The registries that a host opened; once it was killed, those that live are kept: what was registered through them
/// stays known until its time to live is over, as it does in the field.
#[derive(Default)]
struct Registries {
    opened: Vec<Weak<dyn Registry>>,
    kept: Vec<Arc<dyn Registry>>,
}

/// Something that a host holds of its backends, and that ends with the host.
pub(super) trait Release: Send + Sync {
    /// Gives it up, whoever else holds on to it.
    fn release(&self);
}

/// Something that may have been given up.
pub(super) type Held<T> = Mutex<Option<T>>;

impl<T: Send> Release for Held<T> {
    fn release(&self) {
        let released = self.lock().take();
        // What it does when it is dropped may come back here.
        drop(released);
    }
}

impl Life {
    pub(super) fn new(host: Name, network: Arc<Network>, backing: Arc<Backing>) -> Self {
        Life {
            host,
            network,
            backing,
            line: OnceCell::new(),
            registries: Mutex::default(),
            over: CancellationToken::new(),
            held: Mutex::default(),
        }
    }

    /// A transport of this host, with the network's faults in front of it.
    pub(super) async fn transport(self: &Arc<Self>) -> Result<Arc<dyn Transport>> {
        let below = self.line().await?.transport();
        Ok(Arc::new(TestTransport::new(self.clone(), below)))
    }

    /// A broker of this host, with the network's faults in front of it.
    pub(super) async fn broker(self: &Arc<Self>) -> Result<Arc<dyn Broker>> {
        let below = self.line().await?.broker();
        Ok(Arc::new(TestBroker::new(self.clone(), below)))
    }

    /// A registry of this host, with the network's faults in front of it.
    pub(super) async fn registry(self: &Arc<Self>) -> Result<Arc<dyn Registry>> {
        let below = self.line().await?.registry();
        self.registries.lock().opened.push(Arc::downgrade(&below));
        Ok(Arc::new(TestRegistry::new(self.clone(), below)))
    }

    async fn line(&self) -> Result<&Line> {
        self.check()?;
        let connect = || self.backing.connect(&self.host);
        self.line.get_or_try_init(connect).await
    }

    /// Ends it without a word to anybody.
    pub(super) fn end(&self) {
        self.over.cancel();
        self.registries.lock().keep();
        let held = std::mem::take(&mut *self.held.lock());
        for held in held.iter().filter_map(Weak::upgrade) {
            held.release();
        }
    }

    pub(super) fn hold(&self, thing: Weak<dyn Release>) {
        let mut held = self.held.lock();
        if held.len() == held.capacity() {
            held.retain(|held| held.strong_count() > 0);
        }
        held.push(thing);
    }

    /// Waits until it is over.
    pub(super) async fn over(&self) {
        self.over.cancelled().await;
    }

    /// # Errors
    /// [`ErrorKind::Unavailable`] when it is over.
    pub(super) fn check(&self) -> Result<()> {
        match self.over.is_cancelled() {
            true => Err(self.killed()),
            false => Ok(()),
        }
    }

    pub(super) fn killed(&self) -> Error {
        Error::new(ErrorKind::Unavailable, "this host was killed").with_context("host", &self.host)
    }
}

impl Registries {
    fn keep(&mut self) {
        let living = self.opened.drain(..);
        self.kept.extend(living.filter_map(|registry| registry.upgrade()));
    }
}

impl fmt::Debug for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Life")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}
