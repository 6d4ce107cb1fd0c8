//! What go-micro was seen to say, said again: captured requests to a service of ours, captured answers to a client of
//! ours, and what nobody should say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod answers;
mod bad_input;
mod capture;
mod events;
mod odd_answers;
mod reader;
mod registry;
mod requests;
mod service;
mod stopping;
mod streams;
mod traps;
