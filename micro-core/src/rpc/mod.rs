//! Calls, as both ends see them: [`Request`], [`Response`], [`Status`], [`Context`].
//!
//! Client and server are [`tower::Service`]s from a `Request` to a `Response`; what lies between them on the
//! socket is known to `frame` alone.

pub(crate) mod account;
mod body;
mod boxed;
mod cancellation;
mod code;
mod context;
pub(crate) mod credit;
mod details;
pub(crate) mod frame;
pub(crate) mod framing;
pub(crate) mod headers;
pub(crate) mod items;
pub(crate) mod lane;
mod method;
pub(crate) mod micro_error;
pub(crate) mod pack;
mod request;
mod status;
mod streaming;

pub use body::{Body, BodyStream};
pub(crate) use body::{Filled, Source};
pub use code::Code;
pub use context::Context;
pub use headers::is_reserved;
pub use method::{BidiStream, ClientStream, Method, ServerStream, Unary};
pub use request::{CallKind, Request, Response};
pub use status::Status;
pub use streaming::Streaming;

/// The key in a node's metadata that says its server understands this crate's additions to go-micro's calls
/// (cancellation, half-close, packs of items and credit for them), which are never said to a peer without it. Its value is [`FEATURES`].
pub const FEATURES_KEY: &str = "micro-rpc";

/// The version of those additions. A server of version 1 knows all but packs and credit.
pub const FEATURES: &str = "2";
