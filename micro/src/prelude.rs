//! What nearly every service and caller needs, for `use micro::prelude::*`.

pub use micro_core::{Client, Code, Context, Event, Json, Payload, Proto, Router, Status, Streaming};

pub use crate::{Backends, Publisher, Service};
