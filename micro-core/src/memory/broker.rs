//! Events handed from table to queue.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures::{Stream, StreamExt};

use super::{NAME, Worlds};
use crate::broker::{Broker, BrokerCapabilities, Event, Overflow, SubscribeOptions, Subscription};
use crate::error::{Error, ErrorKind, Result};
use crate::message::{Message, Text};
use crate::name;
use crate::queue;

mod hub;

use hub::{Hub, Member};

/// How many publishers may be handing an event to a member at the moment when it becomes full.
const RACING: usize = 1024;

static WORLDS: Worlds<Hub> = Worlds::new();

/// A [`Broker`] inside one process.
///
/// Clones, and instances of one name, hear each other.
#[derive(Clone, Debug)]
pub struct MemoryBroker {
    hub: Arc<Hub>,
    max_message_size: Option<usize>,
}

impl MemoryBroker {
    /// A broker in a world of its own, which only its clones share.
    pub fn new() -> Self {
        MemoryBroker::within(Arc::default())
    }

    /// A broker in the world of that name.
    pub fn named(world: &str) -> Self {
        MemoryBroker::within(WORLDS.open(world))
    }

    fn within(hub: Arc<Hub>) -> Self {
        MemoryBroker {
            hub,
            max_message_size: None,
        }
    }

    /// Refuses to publish events of more than this many bytes of [`Message::size`]. Default: no limit.
    #[must_use]
    pub fn with_max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = Some(bytes);
        self
    }

    fn check_size(&self, message: &Message) -> Result<()> {
        match self.max_message_size {
            Some(limit) if message.size() > limit => {
                Err(Error::new(ErrorKind::ResourceExhausted, "the event is too large")
                    .with_context("bytes", message.size())
                    .with_context("limit", limit))
            }
            _ => Ok(()),
        }
    }
}

impl Default for MemoryBroker {
    fn default() -> Self {
        MemoryBroker::new()
    }
}

#[async_trait]
impl Broker for MemoryBroker {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> BrokerCapabilities {
        BrokerCapabilities {
            max_message_size: self.max_message_size,
            redelivery: false,
            pause: true,
        }
    }

    async fn publish(&self, topic: &str, message: Message) -> Result<()> {
        name::check_topic(topic)
            .and_then(|()| self.check_size(&message))
            .map_err(|error| error.with_operation("publish").with_context("topic", topic))?;
        self.hub.publish(&Event::new(Text::new(topic), message));
        Ok(())
    }

    /// What was published is with its subscribers already.
    async fn flush(&self) -> Result<()> {
        Ok(())
    }

    async fn subscribe(&self, topic: &str, options: SubscribeOptions) -> Result<Subscription> {
        name::check_pattern(topic)
            .and_then(|()| options.check())
            .map_err(|error| error.with_operation("subscribe").with_context("topic", topic))?;
        let (sender, events) = match options.overflow {
            Overflow::Drop => queue::bounded(options.capacity),
            Overflow::Pause => queue::leveled(options.capacity, RACING, |_| true),
        };
        let level = events.level();
        let member = Member {
            pattern: topic.to_owned(),
            queue: options.queue,
            events: sender,
        };
        let place = Place {
            hub: self.hub.clone(),
            id: self.hub.join(member),
        };
        let leave = place.leave();
        let events = Events {
            events,
            _place: place,
        };
        Ok(Subscription::new(topic, events, leave).with_level(level))
    }
}

/// A place in the table, given up when dropped.
struct Place {
    hub: Arc<Hub>,
    id: u64,
}

impl Place {
    fn leave(&self) -> impl Future<Output = Result<()>> + Send + use<> {
        let (hub, id) = (self.hub.clone(), self.id);
        async move {
            hub.part(id);
            Ok(())
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.hub.part(self.id);
    }
}

/// The events of one subscription. Ends after the last one when its place was left.
struct Events {
    events: queue::Receiver<Event>,
    _place: Place,
}

impl Stream for Events {
    type Item = Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_next_unpin(cx)
    }
}
