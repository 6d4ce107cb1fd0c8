//! Unary calls on NATS in go-micro's encoding, beside raw requests: the same payload, the same server.

use anyhow::Result;

use super::{Case, request};
use crate::calls::Way;
use crate::forms::AsJson;
use crate::load::Setup;
use crate::rounds::Contest;
use crate::stack::Backends;

pub(crate) fn cases() -> Vec<Case> {
    [(1, None), (64, Some(0.7)), (256, None)].map(case).into()
}

fn case((callers, to_reach): (usize, Option<f64>)) -> Case {
    let id = format!("unary_gomicro_{callers}_vs_request");
    let title = "unary typed JSON, 128 B, on NATS in go-micro's encoding";
    let case = Case::new(id, title, request::NAME, open)
        .callers(callers)
        .reaching(to_reach);
    if callers == 1 { case.polling() } else { case }
}

async fn open(url: String, callers: usize) -> Result<Contest> {
    Ok(Contest {
        ours: ours(&url, callers).await?,
        peer: request::setups(&url, callers).await?,
    })
}

/// With one connection, and with two.
pub(crate) async fn ours(url: &str, callers: usize) -> Result<Vec<Setup>> {
    let mut setups = Vec::new();
    for way in Way::nats(url, Backends::nats_go_micro).await? {
        setups.push(way.orders::<AsJson>(1, callers).await?);
    }
    Ok(setups)
}
