//! The first connection, and the terms on which later ones are made.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, ServerAddr};
use micro_core::Result;
use micro_core::plugin::Login;
use tokio::time::timeout;

use crate::config::{Server, Servers};
use crate::errors::{self, Refusal};
use crate::switchboard::Switchboard;
use crate::{login, polling, tls};

/// How long one server may take to answer at the start.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// A server that does not answer two of these is taken for dead.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// The longest pause between two attempts to connect again.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Connects to the first server that answers.
///
/// Later reconnects go through the whole list, and whatever servers the cluster names, without a limit.
pub(crate) async fn first(
    servers: &Servers,
    name: Option<&str>,
    events: impl Fn(async_nats::Event) + Clone + Send + Sync + 'static,
) -> Result<Client> {
    servers.check_inbox()?;
    polling::check(servers.busy_poll)?;
    tls::check(&servers.tls).await?;
    let mut refusals = Vec::new();
    for server in &servers.usable {
        if let Some(login) = &server.login {
            login::check(login).await?;
        }
        let options = options(server.login.as_ref(), servers, name, events.clone());
        match attempt(server, options).await {
            Ok(client) => {
                warn_of_unreadable(servers);
                add_others(&client, servers).await;
                return Ok(client);
            }
            Err(error) => refusals.push(Refusal::from_connect(server, &servers.tls, &error)),
        }
    }
    refusals.extend_from_slice(&servers.unreadable);
    Err(errors::cannot_connect(&refusals))
}

async fn attempt(server: &Server, options: ConnectOptions) -> Result<Client, ConnectError> {
    // The client bounds the handshake; this bounds the resolution of the name as well.
    match timeout(CONNECT_LIMIT, options.connect(server.address.clone())).await {
        Ok(result) => result,
        Err(_) => Err(ConnectError::new(ConnectErrorKind::TimedOut)),
    }
}

fn warn_of_unreadable(servers: &Servers) {
    for bad in &servers.unreadable {
        tracing::warn!(
            server = bad.server,
            reason = bad.reason,
            "this NATS server is passed over"
        );
    }
}

async fn add_others(client: &Client, servers: &Servers) {
    let mut pool: Vec<ServerAddr> = servers
        .usable
        .iter()
        .map(|server| server.address.clone())
        .collect();
    let known = client.server_pool().await.unwrap_or_default();
    for server in known {
        if !pool.contains(&server.addr) {
            pool.push(server.addr);
        }
    }
    if let Err(error) = client.set_server_pool(pool.as_slice()).await {
        tracing::warn!(%error, "only the first NATS server will be connected again");
    }
}

fn options(
    login: Option<&Login>,
    servers: &Servers,
    name: Option<&str>,
    events: impl Fn(async_nats::Event) + Clone + Send + Sync + 'static,
) -> ConnectOptions {
    let options = tls::set(login::options(login), &servers.tls)
        .connection_timeout(CONNECT_LIMIT)
        .ping_interval(PING_INTERVAL)
        .retain_servers_order()
        .max_reconnects(None)
        .reconnect_delay_callback(|attempts| pause(attempts, random()))
        .event_callback(move |event| {
            events(event);
            std::future::ready(())
        });
    let options = match &servers.inbox_prefix {
        Some(prefix) => options.custom_inbox_prefix(prefix),
        None => options,
    };
    match name {
        Some(name) => options.name(name),
        None => options,
    }
}

/// How long to wait before the given attempt: none before the first, then up to twice as long each time, with
/// half of it left to chance, so that clients that lost one server do not come back in step.
fn pause(attempts: usize, chance: u64) -> Duration {
    let Some(doublings) = attempts.checked_sub(2) else {
        return Duration::ZERO;
    };
    let doublings = u32::try_from(doublings).unwrap_or(u32::MAX);
    let factor = 2u32.saturating_pow(doublings);
    let longest = Duration::from_millis(20)
        .saturating_mul(factor)
        .min(LONGEST_PAUSE);
    let half = longest / 2;
    half + half.mul_f64(chance as f64 / u64::MAX as f64)
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Passes the client's events on to a switchboard that does not exist before the client does.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<std::sync::OnceLock<std::sync::Weak<Switchboard>>>);

impl Events {
    /// From now on events go there.
    pub(crate) fn connect(&self, board: &Arc<Switchboard>) {
        // Set once, by the one who made both.
        let _ = self.0.set(Arc::downgrade(board));
    }

    pub(crate) fn pass_on(&self, event: async_nats::Event) {
        if let Some(board) = self.0.get().and_then(std::sync::Weak::upgrade) {
            board.on_event(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_attempt_comes_at_once_and_later_ones_ever_slower() {
        assert_eq!(pause(0, 0), Duration::ZERO);
        assert_eq!(pause(1, u64::MAX), Duration::ZERO);
        let pauses: Vec<_> = (2..20).map(|attempts| pause(attempts, 0)).collect();
        assert!(pauses.is_sorted(), "{pauses:?}");
        assert_eq!(pauses[0], Duration::from_millis(10));
        assert_eq!(pause(usize::MAX, u64::MAX), LONGEST_PAUSE);
    }

    #[test]
    fn half_of_a_pause_is_left_to_chance() {
        assert_eq!(pause(10, 0), LONGEST_PAUSE / 2);
        assert_eq!(pause(10, u64::MAX), LONGEST_PAUSE);
        assert_ne!(random(), random());
    }
}
