//! One subscription that a service is to make.

use micro_core::broker::Overflow;
use micro_core::{Broker, Error, ErrorKind, Result};

use crate::events::{Handler, SubscriberOptions};

/// A subscription to be made.
pub(super) struct Subscriber {
    pub(super) topic: String,
    pub(super) options: SubscriberOptions,
    pub(super) handler: Handler,
    /// What it is called in the registry.
    pub(super) name: String,
}

impl Subscriber {
    /// A subscription that a function of this type handles.
    pub(super) fn new<F>(topic: &str, options: SubscriberOptions, handler: Handler) -> Self {
        Subscriber {
            topic: topic.to_owned(),
            options,
            handler,
            name: name_of::<F>(topic),
        }
    }

    /// Checks that the broker can do what is asked of it.
    pub(super) fn check(&self, broker: &dyn Broker) -> Result<()> {
        let can = broker.capabilities();
        let lacking = if self.options.redelivery && !can.redelivery {
            "does not deliver an event again whose handler failed"
        } else if self.options.overflow == Overflow::Pause && !can.pause {
            "does not let a member of a queue group pause"
        } else {
            return Ok(());
        };
        let message = format!("broker {} {lacking}", broker.name());
        let error = Error::new(ErrorKind::Unsupported, message).with_operation("subscribe");
        Err(error.with_context("topic", &self.topic))
    }
}

/// The name of a function; of a closure, which has none, the topic.
fn name_of<F>(topic: &str) -> String {
    let path = std::any::type_name::<F>();
    match path.rsplit("::").next() {
        Some(name) if name.chars().all(|c| c.is_alphanumeric() || c == '_') => name.to_owned(),
        _ => topic.to_owned(),
    }
}
