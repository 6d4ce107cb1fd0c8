#![doc = include_str!("lib.md")]

pub mod address;
pub mod broker;
pub mod by_id;
pub mod client;
pub mod codec;
pub mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod memory;
pub mod message;
pub mod name;
pub mod observe;
pub mod plugin;
pub mod queue;
pub mod registry;
pub mod rpc;
pub mod selector;
pub mod server;
pub mod shape;
pub mod transport;

/// The version of prost that [`Proto`] is about, for generated messages.
pub use prost;

pub use address::Address;
pub use broker::{Broker, Event, Overflow, SubscribeOptions, Subscription};
pub use client::{Client, ClientOptions};
pub use codec::{Codec, Json, Payload, Proto};
pub use error::{Error, ErrorKind, Result};
pub use message::{Headers, Message, Metadata, Text};
pub use plugin::{PluginConfig, Plugins};
pub use registry::{Action, Change, Endpoint, Node, Registry, ServiceRecord, Watcher};
pub use rpc::{Code, Context, Request, Response, Status, Streaming};
pub use server::{Router, Server, ServerOptions};
pub use transport::{DialOptions, ListenOptions, Listener, Socket, Transport};
