//! The table that makes three plugins share one connection.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use micro_core::plugin::{Login, Tls};
use micro_core::{Error, PluginConfig, Result};
use parking_lot::Mutex;
use tokio::runtime;

use crate::config::Servers;
use crate::connection::Connection;

/// What tells connections apart. A connection dies with the runtime whose tasks drive it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    runtime: runtime::Id,
    servers: Vec<(String, Option<Login>)>,
    tls: Tls,
    inbox_prefix: Option<String>,
    busy_poll: Option<Duration>,
}

type Attempt = Shared<BoxFuture<'static, Result<Arc<Connection>, Arc<Error>>>>;
type WeakAttempt = WeakShared<BoxFuture<'static, Result<Arc<Connection>, Arc<Error>>>>;

enum Place {
    /// Somebody is opening it, and others wait with him.
    Opening(WeakAttempt),
    /// It is open, as long as somebody holds it.
    Open(Weak<Connection>),
}

/// Holds no connection open: it knows those that others hold.
static TABLE: LazyLock<Mutex<HashMap<Key, Place>>> = LazyLock::new(Mutex::default);

pub(crate) async fn join(config: &PluginConfig) -> Result<Arc<Connection>> {
    let servers = Servers::parse(config);
    let key = Key::new(&servers);
    let attempt = match find(&key, servers, config.client_name.clone()) {
        Found::Open(connection) => return Ok(connection),
        Found::Opening(attempt) => attempt,
    };
    let connection = attempt.await.map_err(|error| copy(&error))?;
    let mut table = TABLE.lock();
    table.insert(key, Place::Open(Arc::downgrade(&connection)));
    Ok(connection)
}

enum Found {
    Open(Arc<Connection>),
    Opening(Attempt),
}

fn find(key: &Key, servers: Servers, name: Option<String>) -> Found {
    let mut table = TABLE.lock();
    table.retain(|_, place| place.is_alive());
    match table.get(key) {
        Some(Place::Open(connection)) => {
            if let Some(connection) = connection.upgrade() {
                return Found::Open(connection);
            }
        }
        Some(Place::Opening(attempt)) => {
            if let Some(attempt) = attempt.upgrade() {
                return Found::Opening(attempt);
            }
        }
        None => {}
    }
    let attempt = open(servers, name);
    if let Some(weak) = attempt.downgrade() {
        table.insert(key.clone(), Place::Opening(weak));
    }
    Found::Opening(attempt)
}

fn open(servers: Servers, name: Option<String>) -> Attempt {
    async move {
        let opened = Connection::to_servers(&servers, name.as_deref()).await;
        opened.map_err(Arc::new)
    }
    .boxed()
    .shared()
}

impl Key {
    fn new(servers: &Servers) -> Self {
        let usable = servers.usable.iter();
        let usable = usable.map(|server| (server.address.as_url_str().to_owned(), server.login.clone()));
        let unreadable = servers.unreadable.iter().map(|bad| (bad.server.clone(), None));
        Key {
            runtime: runtime::Handle::current().id(),
            servers: usable.chain(unreadable).collect(),
            tls: servers.tls.clone(),
            inbox_prefix: servers.inbox_prefix.clone(),
            busy_poll: servers.busy_poll,
        }
    }
}

impl Place {
    fn is_alive(&self) -> bool {
        match self {
            Place::Opening(attempt) => attempt.upgrade().is_some(),
            Place::Open(connection) => connection.strong_count() > 0,
        }
    }
}

/// Each of those who waited gets the error.
fn copy(error: &Arc<Error>) -> Error {
    Error::new(error.kind(), error.to_string()).with_source(error.clone())
}
