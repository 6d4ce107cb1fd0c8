//! The contracts, the memory backends, and the RPC client and server of micro.

pub mod address;
pub mod error;
pub mod message;
pub mod name;

pub use address::Address;
pub use error::{Error, ErrorKind, Result};
pub use message::{Headers, Message, Text};
