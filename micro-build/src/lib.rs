#![doc = include_str!("lib.md")]

mod builder;
mod descriptors;
mod error;
mod service;
mod shape;

use std::path::Path;

pub use builder::{Builder, configure};
pub use error::Error;

/// Generates messages and services of these files into `OUT_DIR`, with the defaults of [`configure`].
///
/// `protos` are paths from where the build script runs, each below one of `includes`, where imports are looked for, too.
///
/// # Errors
/// A file that is not there or does not parse, with its line and column; what cannot be written.
pub fn compile_protos(protos: &[impl AsRef<Path>], includes: &[impl AsRef<Path>]) -> Result<(), Error> {
    configure().compile(protos, includes)
}
