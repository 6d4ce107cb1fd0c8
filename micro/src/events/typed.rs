//! Types that are events.

use micro_core::Payload;

/// A type that is an event by itself: it knows its topic, and how it is written down.
///
/// [`#[micro::event]`](macro@crate::event) makes one of a serde type or a prost message:
///
/// ```
/// use micro::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[micro::event(topic = "orders.placed")]
/// #[derive(Serialize, Deserialize)]
/// struct OrderPlaced {
///     item: String,
/// }
///
/// async fn on_order(_: Context, order: OrderPlaced) -> Result<(), Status> {
///     println!("{}", order.item);
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> micro::Result<()> {
/// let service = Service::builder("billing").on(on_order).start().await?;
/// service.publish(&OrderPlaced { item: "tea".into() }).await?;
/// # service.shutdown().await?; Ok(()) }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not know its topic",
    label = "this is no event",
    note = "add `#[micro::event(topic = \"…\")]` to `{Self}`, or name the topic: `publish_to(\"…\", …)`, `subscribe(\"…\", …)`"
)]
pub trait TypedEvent: Payload {
    /// Where it is published, and subscribed to; without wildcards.
    const TOPIC: &'static str;
}
