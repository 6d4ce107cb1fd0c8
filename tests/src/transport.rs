//! The clauses of [`Transport`].

use micro_core::Transport;

use crate::clause::suite;
use crate::world::World;

mod closed;
mod ends;
mod faults;
mod listening;
mod messages;
mod pair;
mod pressure;
mod sizes;

/// Where a clause gets transports.
pub type TransportWorld = dyn World<dyn Transport>;

suite! {
    $
    /// Makes a module of that name, with a test for each clause of [`transport`](crate::transport), in the world
    /// that the expression opens. The expression is evaluated for each, and may await.
    transport_suite in transport {
        messages: {
            messages_arrive_in_order,
            headers_and_body_arrive_unchanged,
            a_message_at_the_limit_arrives,
            a_message_above_the_limit_is_resource_exhausted,
            messages_fed_and_flushed_once_arrive,
            both_ends_send_at_once,
            halves_work_apart,
            a_peer_of_which_nothing_is_known_is_understood,
        }
        sizes: {
            messages_of_every_size_around_each_limit_arrive,
            a_large_message_holds_up_only_its_own_socket,
        }
        listening: {
            every_listener_has_an_address_of_its_own,
            a_given_address_is_listened_on,
            a_taken_address_is_refused,
            an_address_with_a_wildcard_is_invalid_argument,
            a_ready_listener_is_reached_at_once,
            each_end_names_the_other,
            dial_to_nobody_is_unavailable,
            a_message_to_nobody_is_undelivered,
            a_cancelled_accept_loses_no_socket,
            a_dropped_listener_frees_its_address,
            a_closed_listener_is_unavailable,
            sockets_that_nobody_accepted_are_closed,
            a_socket_beyond_the_backlog_is_refused,
            peers_of_which_something_and_nothing_is_known_share_a_listener,
            an_accepted_socket_outlives_its_listener,
        }
        ends: {
            peer_close_ends_recv,
            peer_drop_ends_recv,
            what_was_sent_before_close_is_delivered,
            what_was_sent_before_drop_is_delivered,
            what_was_sent_is_delivered_by_a_peer_that_did_not_read,
            a_half_closed_socket_still_receives,
            dropping_the_sender_closes_half,
            sending_after_finish_is_closed,
            finish_may_be_awaited_again,
            sending_to_a_closed_peer_fails,
            undelivered_is_never_overstated,
        }
        closed: {
            closed_tells_that_the_peer_closed,
            closed_tells_that_nobody_reads,
            closed_waits_while_the_peer_reads,
            closed_ends_with_its_own_half,
            a_cancelled_closed_may_be_asked_again,
        }
        pressure: {
            sockets_of_one_listener_are_apart,
            a_thousand_sockets_talk_at_once,
            ten_thousand_sockets_are_open_at_once,
            a_cancelled_recv_loses_nothing,
            a_cancelled_send_is_whole_or_nothing,
            a_slow_reader_slows_its_writer,
            what_waits_for_a_slow_reader_is_bounded,
            a_slow_reader_does_not_stall_its_neighbour,
            a_reader_that_falls_behind_is_told,
        }
        faults: {
            a_lost_message_is_an_error_and_no_hang,
            a_killed_peer_ends_every_wait_for_it,
            a_restart_in_the_middle_of_a_stream_is_an_error,
        }
    }
}
