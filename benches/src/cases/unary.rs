//! Unary calls on NATS, in the encoding that our peers choose by themselves, beside what others offer.

use anyhow::Result;

use super::{Case, gomicro, peers, request};
use crate::calls::Way;
use crate::forms::{AsJson, AsProto};
use crate::load::Setup;
use crate::rounds::Contest;
use crate::stack::Backends;

const TITLE: &str = "unary typed JSON, 128 B, on NATS";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        beside_request(1, 1.0).p50_no_worse().polling(),
        beside_request(64, 1.5),
        beside_request(256, 2.0),
        beside_service(),
        beside_tonic(),
        beside_gomicro(),
    ]
}

fn beside_request(callers: usize, to_reach: f64) -> Case {
    let open = async |url: String, callers| {
        Ok(Contest {
            ours: ours(&url, callers).await?,
            peer: request::setups(&url, callers).await?,
        })
    };
    Case::new(format!("unary_{callers}_vs_request"), TITLE, request::NAME, open)
        .callers(callers)
        .reaching(to_reach)
}

fn beside_service() -> Case {
    let peer = "async-nats service module and serde_json";
    let open = async |url: String, callers| {
        Ok(Contest {
            ours: ours(&url, callers).await?,
            peer: peers::service(&url, callers).await?,
        })
    };
    Case::new("unary_64_vs_service", TITLE, peer, open)
        .callers(64)
        .reaching(1.5)
}

/// In whichever form serves each side best.
fn beside_tonic() -> Case {
    let title = "unary, typed, the same order, on NATS";
    let peer = "tonic, generated client and server, protobuf over loopback TCP";
    let open = async |url: String, callers| {
        let mut ours = ours(&url, callers).await?;
        for way in Way::nats(&url, Backends::nats).await? {
            ours.push(way.orders::<AsProto>(1, callers).await?);
        }
        let peer = peers::tonic_unary(callers).await?;
        Ok(Contest { ours, peer })
    };
    Case::new("unary_64_vs_tonic", title, peer, open)
        .callers(64)
        .reaching(3.0)
}

fn beside_gomicro() -> Case {
    let open = async |url: String, callers| {
        Ok(Contest {
            ours: ours(&url, callers).await?,
            peer: gomicro::peer(&url, callers).await?,
        })
    };
    Case::new("unary_64_vs_gomicro", TITLE, gomicro::NAME, open)
        .callers(64)
        .reaching(12.0)
}

async fn ours(url: &str, callers: usize) -> Result<Vec<Setup>> {
    let mut setups = Vec::new();
    for way in Way::nats(url, Backends::nats).await? {
        setups.push(way.orders::<AsJson>(1, callers).await?);
    }
    Ok(setups)
}
