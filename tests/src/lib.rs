#![doc = include_str!("lib.md")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a clause fails by panicking"
)]

mod clause;
mod faults;
mod value;
mod world;

pub mod broker;
pub mod registry;
pub mod rpc;
pub mod service;
pub mod transport;
pub mod typed;

pub use clause::run;
pub use faults::{Faults, Loss, Peer};
/// A real nats-server that belongs to one test.
pub use nats_testing as nats_server;
pub use world::World;
