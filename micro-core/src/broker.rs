//! The contract for asynchronous events: publish, subscribe, queue groups.

mod options;
mod subscription;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::Result;
use crate::message::{Headers, Message, Text};

pub use options::{Overflow, SubscribeOptions};
pub use subscription::Subscription;

/// Carries events from publishers to subscribers, at most once.
///
/// A value that exists works: constructing it has connected it.
///
/// # Behavior
/// The clauses of `micro_conformance::broker`, by name, less what [`BrokerCapabilities`] exclude:
/// - Delivery: `every_plain_subscriber_gets_each_event_once`, `events_of_one_publisher_arrive_in_order`,
///   `topic_headers_and_body_arrive_unchanged`, `publish_without_subscriber_is_ok`,
///   `a_publisher_hears_itself`, `a_ready_subscription_gets_the_next_event`, `an_event_at_the_limit_arrives`,
///   `an_event_above_the_limit_is_resource_exhausted`, `a_cancelled_recv_loses_no_event`,
///   `a_flushed_event_outlives_its_publisher`
/// - Groups: `queue_group_gets_each_event_once`, `every_member_of_a_group_gets_a_share`,
///   `groups_and_plain_subscribers_do_not_disturb_each_other`, `a_group_is_one_across_patterns`,
///   `a_group_shares_the_events_of_a_thousand_publishers`
/// - Topics: `a_wildcard_matches_as_on_nats`, `an_event_tells_the_topic_it_was_published_on`,
///   `overlapping_subscriptions_each_get_the_event`, `an_illegal_topic_is_invalid_argument`,
///   `an_illegal_queue_name_is_invalid_argument`
/// - Leaving: `nothing_is_delivered_after_unsubscribe`, `a_dropped_subscription_leaves_its_group`,
///   `drain_hands_out_what_was_delivered`, `drain_may_be_awaited_again`, `racing_subscribers_disturb_nobody`
/// - Slow subscribers: `a_slow_subscriber_learns_how_many_it_lost`,
///   `a_slow_subscriber_does_not_stall_its_neighbour`
/// - Members that pause: `a_full_member_pauses_and_the_others_get_its_share`, `a_paused_member_comes_back`,
///   `pausing_loses_nothing_that_was_delivered`, `a_member_that_is_alone_pauses_too`,
///   `a_paused_member_drains_what_it_has`, `a_member_that_is_dropped_while_it_pauses_does_not_come_back`,
///   `only_members_of_queue_groups_pause`
#[async_trait]
pub trait Broker: fmt::Debug + Send + Sync + 'static {
    /// The name by which a flag chooses it.
    fn name(&self) -> &'static str;

    /// What this backend can and cannot do.
    fn capabilities(&self) -> BrokerCapabilities;

    /// Publishes one event. That nobody subscribes is not an error.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an illegal topic,
    /// [`ResourceExhausted`](crate::ErrorKind::ResourceExhausted) when the event is too large (nothing was sent),
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the broker cannot be reached now. Where nothing was sent for
    /// certain, [`undelivered`](crate::Error::undelivered) is 1.
    ///
    /// # Cancel safety
    /// The event is published whole or not at all.
    async fn publish(&self, topic: &str, message: Message) -> Result<()>;

    /// Waits until what was published before has reached the broker: for publishers that end. [`publish`] may only
    /// have queued it, and what is queued ends with its process.
    ///
    /// [`publish`]: Broker::publish
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the broker cannot be reached now; events may be lost.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    async fn flush(&self) -> Result<()>;

    /// Subscribes to a topic; `*` and `>` are the wildcards of NATS. When this returns, the next event arrives.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for an illegal topic or queue name,
    /// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) where the server refuses the topic,
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a way of [overflow](SubscribeOptions::overflow) that
    /// [`BrokerCapabilities`] exclude.
    async fn subscribe(&self, topic: &str, options: SubscribeOptions) -> Result<Subscription>;
}

/// What a broker can and cannot do. Suites skip the clauses that a backend excludes here.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct BrokerCapabilities {
    /// The largest event, in bytes of [`Message::size`]; `None` when only memory bounds it.
    pub max_message_size: Option<usize>,
    /// An event whose handler failed is delivered again. Neither memory nor core NATS can: they deliver at most once.
    pub redelivery: bool,
    /// Members of a queue group can pause: [`Overflow::Pause`].
    pub pause: bool,
}

impl BrokerCapabilities {
    /// Members of a queue group can pause.
    #[must_use]
    pub fn with_pause(mut self) -> Self {
        self.pause = true;
        self
    }

    /// An event whose handler failed is delivered again.
    #[must_use]
    pub fn with_redelivery(mut self) -> Self {
        self.redelivery = true;
        self
    }

    /// Larger events are refused before anything is sent.
    #[must_use]
    pub fn with_max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = Some(bytes);
        self
    }
}

/// One event, as a subscriber gets it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The topic it was published on, also where the subscription has a wildcard.
    pub topic: Text,
    /// What was published.
    pub message: Message,
}

impl Event {
    /// An event.
    pub fn new(topic: impl Into<Text>, message: Message) -> Self {
        Event {
            topic: topic.into(),
            message,
        }
    }

    /// The headers of the message.
    pub fn headers(&self) -> &Headers {
        &self.message.headers
    }

    /// The body of the message.
    pub fn body(&self) -> &Bytes {
        &self.message.body
    }
}
