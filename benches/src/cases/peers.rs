//! Peers that take many crates to build, and only comparisons need: the feature `peers`.
//!
//! `peers_absent.rs` has the same functions for when it is off.

mod service;
mod tarpc;
mod tonic;

pub(crate) use service::setups as service;
pub(crate) use tarpc::{bytes as tarpc_bytes, orders as tarpc};
pub(crate) use tonic::{items as tonic_items, orders as tonic_unary};
