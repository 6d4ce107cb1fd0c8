//! Plots, as SVG.

mod memory;
mod overview;
mod rounds;
mod scale;
mod svg;

pub(crate) use memory::memory;
pub(crate) use overview::{Entry, overview};
pub(crate) use rounds::rounds;
