//! Unary calls on NATS in go-micro's encoding, beside raw requests: the same payload, the same server.

use std::sync::Arc;

use anyhow::Result;
use micro_core::PluginConfig;
use nats_common::Connection;
use registry_nats::{NatsRegistry, RegistryOptions};
use transport_nats::NatsTransport;

use super::{Case, opened_by, request};
use crate::load::Setup;
use crate::rounds::Contest;
use crate::stack::{self, A_DAY, Backends};

pub(crate) fn cases() -> Vec<Case> {
    [(1, None), (64, Some(0.7)), (256, None)].map(case).into()
}

fn case((callers, to_reach): (usize, Option<f64>)) -> Case {
    Case {
        id: format!("unary_gomicro_{callers}_vs_request"),
        title: "unary typed JSON, 128 B, on NATS in go-micro's encoding",
        callers,
        unit: "calls/s",
        peer_name: "async-nats request() and serde_json",
        to_reach,
        open: opened_by(open),
    }
}

async fn open(url: String, callers: usize) -> Result<Contest> {
    Ok(Contest {
        ours: ours(&url, callers).await?,
        peer: request::setups(&url, callers).await?,
    })
}

/// With one connection, and with two.
pub(crate) async fn ours(url: &str, callers: usize) -> Result<Vec<Setup>> {
    let config = PluginConfig::default().with_addresses(url);
    let one = backends(Connection::open(&config).await?);
    let here = backends(Connection::open(&config).await?);
    let there = backends(Connection::open(&config).await?);
    Ok(vec![
        stack::setup("1 connection", one.clone(), one, callers).await?,
        stack::setup("2 connections", here, there, callers).await?,
    ])
}

/// A service author gets one connection to a process; two are what two processes would have.
fn backends(connection: Arc<Connection>) -> Backends {
    let options = RegistryOptions::default().with_node_ttl(A_DAY);
    Backends {
        transport: Arc::new(NatsTransport::new(connection.clone())),
        registry: Arc::new(NatsRegistry::new(connection, options)),
    }
}
