//! Unary calls in memory, beside tarpc; a peer on NATS is there for scale only.

use anyhow::Result;

use super::{Case, peers, request};
use crate::calls::Way;
use crate::forms::{AsJson, AsProto};
use crate::load::Setup;
use crate::rounds::Contest;

const TITLE: &str = "unary typed JSON, 128 B, on memory";

pub(crate) fn cases() -> Vec<Case> {
    let scale = [1, 64, 256].map(beside_request);
    let beside = [beside_tarpc(), beside_tarpc_in_bytes()];
    scale.into_iter().chain(beside).collect()
}

fn beside_request(callers: usize) -> Case {
    let peer = "async-nats request() and serde_json, over NATS, for scale";
    let open = async |url: String, callers| {
        Ok(Contest {
            ours: ours(callers).await?,
            peer: request::setups(&url, callers).await?,
        })
    };
    Case::new(format!("unary_memory_{callers}"), TITLE, peer, open).callers(callers)
}

/// In whichever form serves each side best: ours encodes the order, tarpc hands it over as it is.
fn beside_tarpc() -> Case {
    let title = "unary, typed, the same order, on memory";
    let peer = "tarpc in memory, which encodes nothing";
    let open = async |_, callers| {
        let (mut ours, memory) = (ours(callers).await?, Way::memory());
        for clients in [1, 2] {
            ours.push(memory.orders::<AsProto>(clients, callers).await?);
        }
        let peer = peers::tarpc(callers).await?;
        Ok(Contest { ours, peer })
    };
    Case::new("unary_memory_64_vs_tarpc", title, peer, open)
        .callers(64)
        .reaching(1.0)
}

/// Neither side encodes anything: what is left is the cost of either framework.
fn beside_tarpc_in_bytes() -> Case {
    let title = "unary, 128 bytes that nobody interprets, on memory";
    let open = async |_, callers| {
        let memory = Way::memory();
        let ours = vec![memory.bytes(1, callers).await?, memory.bytes(2, callers).await?];
        let peer = peers::tarpc_bytes(callers).await?;
        Ok(Contest { ours, peer })
    };
    Case::new("unary_memory_64_vs_tarpc_bytes", title, "tarpc in memory", open).callers(64)
}

async fn ours(callers: usize) -> Result<Vec<Setup>> {
    let memory = Way::memory();
    Ok(vec![
        memory.orders::<AsJson>(1, callers).await?,
        memory.orders::<AsJson>(2, callers).await?,
    ])
}
