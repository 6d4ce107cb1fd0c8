#![doc = include_str!("lib.md")]

mod backends;
mod config;
mod events;
mod flags;
pub mod layers;
mod plugins;
pub mod prelude;
mod publisher;
pub mod service;
#[cfg(feature = "testing")]
pub mod testing;

pub use backends::Backends;
pub use config::{BackendsConfig, Config, PluginChoice};
pub use events::{EventCounts, EventFailure, FailedEvent, SubscriberOptions, TypedEvent};
#[cfg(feature = "nats")]
pub use flags::NatsFlags;
pub use flags::{BackendFlags, Flags, ServerFlags, know_plugins};
pub use plugins::default_plugins;
pub use publisher::Publisher;
pub use service::{Health, Report, Service, ServiceBuilder};

pub use micro_macros::{event, service};

pub use bytes::Bytes;
pub use clap;
#[cfg(feature = "otel")]
pub use micro_otel as otel;
pub use tower;

#[doc(no_inline)]
pub use micro_core::prost;

pub use micro_core::{
    Action, Address, Broker, Change, Client, ClientOptions, Code, Codec, Context, DialOptions, Endpoint,
    Error, ErrorKind, Event, Headers, Json, ListenOptions, Listener, Message, Metadata, Node, Overflow,
    Payload, PluginConfig, Plugins, Proto, Registry, Request, Response, Result, Router, Server,
    ServerOptions, ServiceRecord, Socket, Status, Streaming, SubscribeOptions, Subscription, Text, Transport,
    Watcher,
};
pub use micro_core::{
    address, broker, client, codec, error, memory, message, name, observe, plugin, queue, registry, rpc,
    selector, server, transport,
};

/// Includes what `micro-build` generated of a package: `micro::include_proto!("shop.orders")`.
#[macro_export]
macro_rules! include_proto {
    ($package:literal) => {
        include!(concat!(env!("OUT_DIR"), "/", $package, ".rs"));
    };
}

#[cfg(doctest)]
mod readme {
    #[doc = include_str!("../../README.md")]
    mod first_screen {}
    #[doc = include_str!("../../docs/guide.md")]
    mod guide {}
    #[doc = include_str!("../../docs/testing.md")]
    mod testing {}
    #[doc = include_str!("../../docs/observability.md")]
    mod observability {}
    #[doc = include_str!("../../docs/security.md")]
    mod security {}
}
