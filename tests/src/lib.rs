#![doc = include_str!("lib.md")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a clause fails by panicking"
)]

mod clause;
mod value;
mod world;

pub mod broker;
pub mod nats_server;
pub mod registry;
pub mod rpc;
pub mod service;
pub mod transport;

pub use clause::run;
pub use world::World;
