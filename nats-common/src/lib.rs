//! One shared NATS connection for the plugins of micro, and go-micro's envelope.
//!
//! [`Connection::shared`] gives the three plugins of a process one connection to a list of servers. On it:
//!
//! | need | use |
//! |---|---|
//! | send | [`Connection::publish`]; [`Connection::publish_now`] from a drop; [`Connection::publish_from`] for an order of one's own |
//! | get answers | [`Mailbox`]: a reply subject that costs nothing to open; [`Slot`] for one's own [`Consumer`] |
//! | subscribe | [`Feed`]: a stream; [`Pump`] for one's own [`Consumer`] |
//! | know that the server has done it | [`Connection::fence`] |
//! | know what it refused | [`Connection::settle`] |
//! | know what may be lost | [`Incoming::Disconnected`], [`Connection::disconnects`] |

mod config;
mod connect;
mod connection;
mod consumer;
mod courier;
mod denied;
pub mod envelope;
mod errors;
mod feed;
mod fence;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod inbox;
mod leave;
mod login;
mod mailbox;
mod outbox;
mod parameters;
mod polling;
mod pump;
mod reader;
mod shared;
mod steps;
mod switchboard;
mod tls;

pub use async_nats::{Message, Subject};

pub use config::DEFAULT_ADDRESS;
pub use connect::CONNECT_LIMIT;
pub use connection::Connection;
pub use consumer::{Consumer, Denial, DeniedAction, Incoming};
pub use courier::Source;
pub use denied::Told;
pub use feed::Feed;
pub use inbox::Slot;
pub use mailbox::{Delivery, Mailbox};
pub use outbox::{Outgoing, PUBLISH_LIMIT};
pub use parameters::parameters;
pub use polling::LONGEST_BUSY_POLL;
pub use pump::Pump;
