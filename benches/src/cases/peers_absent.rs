//! What stands in for `peers.rs` when the feature `peers` is off: every set-up says so.

use anyhow::Result;

use super::NotRun;
use crate::load::Setup;

pub(crate) async fn service(_: &str, _: usize) -> Result<Vec<Setup>> {
    absent()
}

pub(crate) async fn tarpc(_: usize) -> Result<Vec<Setup>> {
    absent()
}

pub(crate) async fn tarpc_bytes(_: usize) -> Result<Vec<Setup>> {
    absent()
}

pub(crate) async fn tonic_items() -> Result<Vec<Setup>> {
    absent()
}

pub(crate) async fn tonic_unary(_: usize) -> Result<Vec<Setup>> {
    absent()
}

fn absent() -> Result<Vec<Setup>> {
    let reason = "built without the feature `peers`, which `cargo xtask bench` turns on";
    Err(NotRun(reason.to_owned()).into())
}
