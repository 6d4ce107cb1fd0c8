//! What is refused, and what is made of what is accepted.

// What is generated is held to the strictest rules of the crate that it is part of.
#![deny(
    missing_docs,
    unreachable_pub,
    unused,
    deprecated,
    refining_impl_trait,
    missing_debug_implementations,
    clippy::all
)]

mod accepted;

/// Each mistake is told where it was made, in words that say what to do. When the compiler words its part otherwise,
/// `TRYBUILD=overwrite cargo test -p micro-macros --test service` writes down what it says now.
#[test]
fn mistakes_are_told_where_they_were_made() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
