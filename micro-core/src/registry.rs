//! The contract for discovery: who serves what, and where.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use futures::Stream;
use futures::stream::{BoxStream, StreamExt};

use crate::error::{Error, Result};

mod record;

pub use crate::shape::Value;
pub use record::{Endpoint, Node, ServiceRecord};

/// Knows which nodes serve which service.
///
/// A value that exists works: constructing it has connected it. What was registered through it stays registered
/// until it is deregistered, its time to live passes without a refresh, or the registry value is dropped.
///
/// # Behavior
/// The clauses of `micro_conformance::registry`, by name:
/// - Finding: `a_registered_service_is_found_at_once`, `a_registry_finds_what_it_registered_itself`,
///   `an_unknown_service_is_not_found`, `an_empty_list_is_ok`, `a_list_has_every_version_of_every_service`,
///   `a_record_is_found_unchanged`, `a_cancelled_get_leaves_nothing_behind`
/// - Nodes: `the_same_node_id_again_replaces_it`, `nodes_of_one_version_are_merged`,
///   `nodes_registered_at_once_are_all_found`, `versions_stay_apart`, `a_deregistered_node_is_gone`,
///   `the_last_node_takes_the_service_with_it`, `deregistering_what_is_not_there_is_ok`
/// - Lifetimes: `a_node_that_is_not_refreshed_ages_out`, `a_refreshed_node_lives_on`,
///   `what_a_dropped_registry_registered_is_gone`, `a_node_may_come_back_under_its_id`
/// - Watching: `a_watcher_sees_registration_and_deregistration`, `a_watcher_sees_a_refresh`,
///   `a_watcher_sees_a_node_age_out`, `a_watcher_of_one_service_sees_no_other`,
///   `a_ready_watcher_sees_the_next_change`, `every_watcher_sees_each_change`,
///   `a_dropped_watcher_disturbs_nobody`, `a_slow_watcher_is_told_that_it_lost_changes`,
///   `a_cancelled_recv_loses_no_change`
/// - Names: `an_illegal_name_is_invalid_argument`, `a_record_that_nobody_could_call_is_invalid_argument`
#[async_trait]
pub trait Registry: fmt::Debug + Send + Sync + 'static {
    /// The name by which a flag chooses it.
    fn name(&self) -> &'static str;

    /// Announces the nodes of a service, or refreshes them. When this returns, whoever asks finds them.
    ///
    /// A node with an id that is registered already replaces it. Where a node names no `protocol`, a backend that
    /// go-micro peers read fills in `mucp`.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an illegal name or a record without nodes.
    async fn register(&self, service: &ServiceRecord, options: RegisterOptions) -> Result<()>;

    /// Takes the nodes of the record back; nodes that are not registered are passed over.
    ///
    /// # Errors
    /// What the backend met while saying so; the nodes are no longer announced all the same.
    async fn deregister(&self, service: &ServiceRecord) -> Result<()>;

    /// Every version of a service, each with its nodes.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when nobody serves it, never an empty success.
    ///
    /// # Cancel safety
    /// Nothing is lost or left behind.
    async fn get(&self, name: &str) -> Result<Vec<ServiceRecord>>;

    /// Every version of every service. Nothing registered is an empty list.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the registry cannot be reached.
    ///
    /// # Cancel safety
    /// Nothing is lost or left behind.
    async fn list(&self) -> Result<Vec<ServiceRecord>>;

    /// Watches for changes. When this returns, the next change is seen.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an illegal name.
    async fn watch(&self, options: WatchOptions) -> Result<Watcher>;
}

/// How to register.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RegisterOptions {
    /// How long the nodes live without a refresh. Default: 90 s.
    pub ttl: Duration,
}

impl Default for RegisterOptions {
    fn default() -> Self {
        RegisterOptions {
            ttl: Duration::from_secs(90),
        }
    }
}

impl RegisterOptions {
    /// Sets how long the nodes live without a refresh.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }
}

/// What to watch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WatchOptions {
    /// Only this service; `None` watches all.
    pub service: Option<String>,
    /// How many changes wait for a slow watcher before more are dropped and counted. Default: 1,024.
    pub capacity: usize,
}

impl Default for WatchOptions {
    fn default() -> Self {
        WatchOptions {
            service: None,
            capacity: 1024,
        }
    }
}

impl WatchOptions {
    /// Watches one service.
    #[must_use]
    pub fn with_service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Bounds the changes that wait.
    #[must_use]
    pub fn with_capacity(mut self, changes: usize) -> Self {
        self.capacity = changes;
        self
    }
}

/// What happened to the nodes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Registered for the first time, or refreshed where the backend does not tell the two apart.
    Create,
    /// Registered again, with the same node ids.
    Update,
    /// Deregistered, or aged out. Only name, version and the ids of the nodes are sure to be set.
    Delete,
}

/// One change in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// What happened.
    pub action: Action,
    /// To which nodes of which service.
    pub service: ServiceRecord,
}

impl Change {
    /// A change.
    pub fn new(action: Action, service: ServiceRecord) -> Self {
        Change { action, service }
    }
}

/// A stream of changes.
///
/// An error in it does not end it, but says that changes may be missing, so that whoever keeps a copy reads it anew:
/// [`Lagged`](crate::ErrorKind::Lagged) when this watcher was too slow, [`Unavailable`](crate::ErrorKind::Unavailable)
/// when the connection was lost for a while. Dropping it stops the watch.
pub struct Watcher(BoxStream<'static, Result<Change>>);

impl Watcher {
    /// For backends: `changes` stops the watch when dropped.
    pub fn new(changes: impl Stream<Item = Result<Change>> + Send + 'static) -> Self {
        Watcher(changes.boxed())
    }

    /// Waits for the next change.
    ///
    /// # Errors
    /// As the type says; [`Closed`](crate::ErrorKind::Closed) when no more will come.
    ///
    /// # Cancel safety
    /// Safe: a change is either returned or still queued.
    pub async fn recv(&mut self) -> Result<Change> {
        match self.0.next().await {
            Some(result) => result,
            None => Err(Error::closed("the watcher has ended").with_operation("watch")),
        }
    }
}

impl Stream for Watcher {
    type Item = Result<Change>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}
