//! Peers that a test plays itself.

mod client;
mod received;
mod service;

pub use client::{ScriptedClient, ScriptedStream};
pub use received::Received;
pub use service::ScriptedService;
