//! Unary calls beside go-micro itself, over NATS: there when the Go peer was built, which `MICRO_INTEROP_V5` names.

use std::env;
use std::ffi::OsString;

use anyhow::Result;

use super::unary_gomicro::ours;
use super::{Case, opened_by};
use crate::go_peer::GoPeer;
use crate::load::Setup;
use crate::rounds::Contest;

const VARIABLE: &str = "MICRO_INTEROP_V5";

pub(crate) fn cases() -> Vec<Case> {
    match program() {
        Some(_) => [(1, 3.0), (64, 8.0)].map(case).into(),
        None => Vec::new(),
    }
}

fn program() -> Option<OsString> {
    env::var_os(VARIABLE).filter(|value| !value.is_empty())
}

fn case((callers, to_reach): (usize, f64)) -> Case {
    Case {
        id: format!("unary_gomicro_{callers}_vs_gomicro"),
        title: "unary typed JSON, 128 B, on NATS in go-micro's encoding",
        callers,
        unit: "calls/s",
        peer_name: "go-micro v5.8.0 over NATS, client and service in one process",
        to_reach: Some(to_reach),
        open: opened_by(open),
    }
}

async fn open(url: String, callers: usize) -> Result<Contest> {
    Ok(Contest {
        ours: ours(&url, callers).await?,
        peer: vec![peer(&url, callers).await?],
    })
}

/// As its authors set it up: a connection for each call in flight, up to 100, and one for the service.
async fn peer(url: &str, callers: usize) -> Result<Setup> {
    let peer = GoPeer::start(&program().unwrap_or_default(), url, callers).await?;
    let process = peer.pid();
    Ok(Setup::new("a connection for each call in flight", peer, ()).in_process(process))
}
