//! Unary calls beside go-micro itself, over NATS: there when the Go peer was built, which `MICRO_INTEROP_V5` names.

use std::env;

use anyhow::Result;
use tokio::runtime::Handle;

use super::unary_gomicro::ours;
use super::{Case, NotRun};
use crate::go_peer::GoPeer;
use crate::load::Setup;
use crate::polling::busy_poll;
use crate::rounds::Contest;

const VARIABLE: &str = "MICRO_INTEROP_V5";

pub(super) const NAME: &str = "go-micro over NATS, client and service in one process";

pub(crate) fn cases() -> Vec<Case> {
    [(1, 3.0), (64, 8.0)].map(case).into()
}

fn case((callers, to_reach): (usize, f64)) -> Case {
    let id = format!("unary_gomicro_{callers}_vs_gomicro");
    let title = "unary typed JSON, 128 B, on NATS in go-micro's encoding";
    let case = Case::new(id, title, NAME, open)
        .callers(callers)
        .reaching(to_reach);
    if callers == 1 { case.polling() } else { case }
}

async fn open(url: String, callers: usize) -> Result<Contest> {
    Ok(Contest {
        ours: ours(&url, callers).await?,
        peer: peer(&url, callers).await?,
    })
}

/// As its authors set it up, with no busy polling to choose: a connection for each call in flight, up to 100, and one for the service.
pub(super) async fn peer(url: &str, callers: usize) -> Result<Vec<Setup>> {
    if busy_poll().is_some() {
        return Ok(Vec::new());
    }
    let program = env::var_os(VARIABLE).filter(|value| !value.is_empty());
    let program = program.ok_or_else(|| NotRun(format!("there is no Go ({VARIABLE} names no peer)")))?;
    let threads = Handle::current().metrics().num_workers();
    let peer = GoPeer::start(&program, url, callers, threads).await?;
    let process = peer.pid();
    let setup = Setup::new("a connection for each call in flight", peer, ());
    Ok(vec![setup.in_process(process)])
}
