//! What others can see of calls and events: spans, and the trace that they are part of.
//!
//! Each call has a span of `tracing` at either end; each event has one where it is published, and one where it is
//! handled. They are named and described as OpenTelemetry's conventions for RPC and for messaging have it. Where nobody
//! listens they cost a look at an atomic. What is counted and measured goes to the recorder of the crate `metrics`, if
//! there is one.
//!
//! A trace travels in the headers of W3C's Trace Context, which are metadata like others, so that a
//! [`Context`](crate::Context) hands them on. Where none came none is made up, unless there is a [`Tracer`].

mod call;
mod catalogue;
mod event;
mod kind;
mod loss;
mod methods;
mod metrics;
mod names;
mod observed;
mod parent;
mod recorder;
mod series;
mod trace_context;
mod tracer;

pub(crate) use call::LastNode;
pub use call::{client, server};
pub use catalogue::describe;
pub use event::{process, publish};
pub use loss::{Ledger, Loss, Losses, dropped, ignored, losses};
pub use methods::Methods;
pub use metrics::{circuit_changed, circuit_refused, paused};
pub(crate) use metrics::{hedged, refused};
pub use observed::Observed;
pub use trace_context::TraceContext;
pub use tracer::{Tracer, set_tracer};

/// What stands for a name that is not known, as OpenTelemetry has it.
pub const OTHER: &str = "_OTHER";
