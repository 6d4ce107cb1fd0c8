//! The clauses of [`Broker`].

use micro_core::Broker;

use crate::clause::suite;
use crate::world::World;

mod delivery;
mod groups;
mod hearing;
mod leaving;
mod pausing;
mod slow;
mod topics;

/// Where a clause gets brokers.
pub type BrokerWorld = dyn World<dyn Broker>;

suite! {
    $
    /// Makes a module of that name, with a test for each clause of [`broker`](crate::broker), in the world that the
    /// expression opens. The expression is evaluated for each, and may await.
    broker_suite in broker {
        delivery: {
            every_plain_subscriber_gets_each_event_once,
            events_of_one_publisher_arrive_in_order,
            topic_headers_and_body_arrive_unchanged,
            publish_without_subscriber_is_ok,
            a_publisher_hears_itself,
            a_ready_subscription_gets_the_next_event,
            an_event_at_the_limit_arrives,
            an_event_above_the_limit_is_resource_exhausted,
            a_cancelled_recv_loses_no_event,
            a_flushed_event_outlives_its_publisher,
        }
        groups: {
            queue_group_gets_each_event_once,
            every_member_of_a_group_gets_a_share,
            groups_and_plain_subscribers_do_not_disturb_each_other,
            a_group_is_one_across_patterns,
            a_group_shares_the_events_of_a_thousand_publishers,
        }
        topics: {
            a_wildcard_matches_as_on_nats,
            an_event_tells_the_topic_it_was_published_on,
            overlapping_subscriptions_each_get_the_event,
            an_illegal_topic_is_invalid_argument,
            an_illegal_queue_name_is_invalid_argument,
        }
        leaving: {
            nothing_is_delivered_after_unsubscribe,
            a_dropped_subscription_leaves_its_group,
            drain_hands_out_what_was_delivered,
            drain_may_be_awaited_again,
            racing_subscribers_disturb_nobody,
        }
        slow: {
            a_slow_subscriber_learns_how_many_it_lost,
            a_slow_subscriber_does_not_stall_its_neighbour,
        }
        pausing: {
            a_full_member_pauses_and_the_others_get_its_share,
            a_paused_member_comes_back,
            pausing_loses_nothing_that_was_delivered,
            a_member_that_is_alone_pauses_too,
            a_paused_member_drains_what_it_has,
            a_member_that_is_dropped_while_it_pauses_does_not_come_back,
            only_members_of_queue_groups_pause,
        }
    }
}
