//! A call of a trait beside the same call by name, with the same codec, in memory: what `#[micro::service]` costs.

use anyhow::Result;

use super::Case;
use crate::calls::Way;
use crate::forms::{AsJson, AsProto, Form};
use crate::interface;
use crate::rounds::Contest;

/// A typed call costs at most 1.15 of an untyped one.
const TO_REACH: f64 = 1.0 / 1.15;

pub(crate) fn cases() -> Vec<Case> {
    [1, 64]
        .into_iter()
        .flat_map(|callers| {
            [
                case::<AsJson>("json", callers, interface::Echo::Json),
                case::<AsProto>("protobuf", callers, interface::Echo::Protobuf),
            ]
        })
        .collect()
}

fn case<F: Form>(codec: &str, callers: usize, echo: interface::Echo) -> Case {
    let open = move |_, callers| contest::<F>(echo, callers);
    let title = "unary call of a trait, 128 B of JSON or as much, on memory";
    let id = format!("typed_vs_untyped_{codec}_{callers}");
    Case::new(id, title, "the same call by name, in the same codec", open)
        .callers(callers)
        .reaching(TO_REACH)
}

async fn contest<F: Form>(echo: interface::Echo, callers: usize) -> Result<Contest> {
    let memory = Way::memory();
    Ok(Contest {
        ours: vec![memory.typed_orders(echo, callers).await?],
        peer: vec![memory.orders::<F>(1, callers).await?],
    })
}
