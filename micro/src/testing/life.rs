//! One life of a host: from its start, or restart, until it is killed.

use std::fmt;
use std::sync::{Arc, Weak};

use micro_core::{Broker, Error, ErrorKind, Registry, Result, Transport};
use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::backing::{Backing, Line};
use super::link::{Link, Side};
use super::name::Name;
use super::network::Network;
use super::release::Release;

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

    /// The transport below, where no faults are.
    pub(super) async fn transport(&self) -> Result<Arc<dyn Transport>> {
        Ok(self.line().await?.transport())
    }

    /// The broker below.
    pub(super) async fn broker(&self) -> Result<Arc<dyn Broker>> {
        Ok(self.line().await?.broker())
    }

    /// The registry below. It is kept when this life ends.
    pub(super) async fn registry(&self) -> Result<Arc<dyn Registry>> {
        let registry = self.line().await?.registry();
        self.registries.lock().opened.push(Arc::downgrade(&registry));
        Ok(registry)
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

    /// Says that one end of a link is this host's: it is cut when the host is killed.
    pub(super) fn join(&self, link: &Arc<Link>, side: Side) {
        link.name(side, Some(self.host.clone()));
        let link: Weak<Link> = Arc::downgrade(link);
        self.hold(link);
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
