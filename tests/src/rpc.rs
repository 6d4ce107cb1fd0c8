//! The clauses of [`Client`](micro_core::Client) and [`Server`](micro_core::Server), which together make calls of any
//! transport and any registry.

use std::sync::Arc;

use async_trait::async_trait;
use micro_core::{Registry, Transport};

use crate::clause::suite;
use crate::world::World;

mod balance;
mod callers;
mod choosing;
mod credit;
mod deadlines;
mod failover;
mod finding;
mod forgetful;
mod half_close;
mod handlers;
mod hedging;
mod kinds;
mod leaving;
mod metadata;
mod outliers;
mod packs;
mod peers;
mod refusals;
mod retries;
mod sizes;
mod stage;
mod statuses;
mod still;
mod stopping;
mod streams;

/// Where a clause gets processes, each with its own instance of a transport and of a registry.
pub type RpcWorld = dyn RpcBackends;

/// A world of transports and of registries. A pair of worlds is one, too: somebody else's transport beside the
/// registry of memory, say.
pub trait RpcBackends: World<dyn Transport> + World<dyn Registry> {}

impl<W: World<dyn Transport> + World<dyn Registry>> RpcBackends for W {}

#[async_trait]
impl<T: World<dyn Transport>, R: Send + Sync + 'static> World<dyn Transport> for (T, R) {
    async fn open(&self) -> Arc<dyn Transport> {
        self.0.open().await
    }
}

#[async_trait]
impl<T: Send + Sync + 'static, R: World<dyn Registry>> World<dyn Registry> for (T, R) {
    async fn open(&self) -> Arc<dyn Registry> {
        self.1.open().await
    }
}

suite! {
    $
    /// Makes a module of that name, with a test for each clause of [`rpc`](crate::rpc), in the world that the
    /// expression opens. The expression is evaluated for each, and may await.
    rpc_suite in rpc {
        kinds: {
            all_four_kinds_of_call_are_answered,
            ten_thousand_calls_at_once_each_get_their_own_answer,
            a_body_arrives_unchanged_both_ways,
            an_empty_body_is_a_body,
            an_answer_comes_in_the_encoding_of_its_request,
        }
        metadata: {
            metadata_reaches_the_handler,
            metadata_of_an_answer_reaches_the_caller,
            metadata_cannot_speak_for_the_framework,
            a_handler_knows_its_peer,
            a_nested_call_carries_the_metadata,
        }
        streams: {
            ten_thousand_messages_arrive_in_order_each_way,
            a_hundred_streams_at_once_are_apart,
            a_half_closed_stream_still_gets_its_answer,
            a_conversation_goes_back_and_forth,
            an_error_comes_after_the_messages_before_it,
            an_error_of_the_caller_is_no_good_end,
            a_handler_may_answer_before_it_has_read_all,
            a_call_of_another_kind_is_answered,
            an_unread_stream_does_not_stall_its_neighbours,
            an_unread_stream_stops_its_handler,
        }
        packs: {
            items_of_every_size_keep_their_order,
            a_panic_comes_after_the_items_before_it,
            items_come_alone_or_together,
            a_caller_of_the_first_version_gets_each_item_alone,
            a_node_of_the_first_version_gets_each_item_alone,
            a_malformed_pack_ends_its_stream_alone,
            a_malformed_pack_comes_after_the_items_before_it,
        }
        credit: {
            an_unread_stream_stops_its_caller,
            an_unread_stream_is_bounded_in_bytes,
            an_unread_conversation_goes_on_when_it_is_read,
            a_caller_of_an_unread_stream_can_leave,
            a_handler_that_waits_for_its_reader_ends_with_its_call,
            a_caller_is_held_to_its_credit,
            credit_that_cannot_be_read_ends_its_stream,
            a_node_is_held_to_its_credit,
        }
        deadlines: {
            a_deadline_reaches_the_handler,
            a_unary_call_has_the_deadline_of_its_client,
            a_nested_call_inherits_what_is_left,
            an_expired_call_ends_on_both_sides,
            an_expired_stream_ends_on_both_sides,
            a_call_without_time_left_is_deadline_exceeded,
            timed_out_calls_leave_no_entry_behind,
            impatient_callers_find_the_service_in_the_end,
            a_cancelled_context_makes_no_call,
        }
        leaving: {
            a_dropped_call_cancels_its_handler,
            a_dropped_call_spares_its_neighbours,
            a_call_that_is_not_polled_holds_up_no_other,
            a_dropped_server_stream_cancels_its_handler,
            a_dropped_client_stream_cancels_its_handler,
            a_dropped_client_stream_cancels_a_handler_that_does_not_read,
            a_dropped_bidi_stream_cancels_its_handler,
            an_endless_stream_ends_with_its_reader,
            a_dropped_call_cancels_the_calls_made_for_it,
        }
        finding: {
            an_unknown_service_is_not_found,
            every_strategy_spreads_the_calls,
            the_least_loaded_node_is_picked,
            calls_follow_the_registry,
            a_node_that_moved_is_found,
            a_node_with_an_unusable_address_is_passed_over,
            an_idle_socket_is_replaced_without_a_failure,
            a_thousand_first_calls_at_once_succeed,
        }
        forgetful: {
            a_registry_that_forgets_stops_no_call,
            what_was_known_a_moment_ago_is_unavailable,
        }
        choosing: {
            a_call_to_one_node_goes_there,
            a_call_to_one_node_goes_to_no_other,
            a_call_to_a_version_goes_to_its_nodes,
            a_call_may_bring_a_strategy,
            a_deadline_may_be_a_point_in_time,
        }
        balance: {
            a_call_to_a_label_goes_to_its_nodes,
            the_own_zone_is_preferred,
            calls_with_one_key_go_to_one_node,
            a_header_may_be_the_key,
            a_slow_node_gets_fewer_calls,
        }
        failover: {
            a_call_to_nobody_is_unavailable_at_once,
            all_nodes_gone_is_unavailable,
            a_dead_node_is_passed_over,
            a_node_that_dies_in_use_is_passed_over,
            a_server_stream_passes_over_a_dead_node,
            a_client_stream_passes_over_a_dead_node,
            a_bidi_stream_passes_over_a_dead_node,
            a_call_that_may_have_run_is_not_made_again,
            a_handler_that_passes_on_a_refusal_has_run,
            an_idempotent_call_is_made_again_elsewhere,
            a_full_node_is_passed_over,
        }
        outliers: {
            a_node_that_fails_is_set_aside,
            a_node_that_is_well_again_is_taken_back,
            a_word_of_the_registry_brings_a_node_back,
            never_are_all_nodes_set_aside,
            a_node_that_does_not_answer_is_set_aside,
            a_full_node_gets_few_calls,
        }
        retries: {
            an_empty_budget_ends_the_call_with_what_the_node_said,
            the_only_node_is_asked_again,
            a_restart_costs_no_budget,
            a_full_node_costs_budget,
        }
        hedging: {
            the_first_of_two_answers_counts,
            a_failure_waits_for_the_other_attempt,
            what_may_not_run_twice_is_made_once,
            hedges_take_budget,
        }
        stopping: {
            a_dropped_server_ends_its_calls_at_once,
            a_shutdown_reports_what_finished_and_what_was_cut,
            an_idle_server_stops_at_once,
            a_stopping_server_sends_new_calls_elsewhere,
            restarting_instances_in_turn_fails_no_call,
            a_shutdown_lets_streams_finish,
        }
        refusals: {
            an_unknown_endpoint_is_unimplemented,
            an_ill_formed_name_is_invalid_argument,
            an_unknown_content_type_is_unimplemented,
            an_undecodable_body_is_invalid_argument,
            an_unencodable_answer_is_internal,
            an_unreadable_answer_is_internal,
        }
        statuses: {
            a_panic_is_internal_and_the_server_lives,
            too_many_requests_are_refused_and_never_run,
            too_many_calls_in_flight_are_refused,
            a_status_arrives_as_it_was_said,
        }
        sizes: {
            a_request_above_the_limit_is_resource_exhausted,
            an_answer_above_the_limit_is_resource_exhausted,
            an_item_above_the_limit_ends_its_stream_alone,
            a_body_well_below_the_limit_passes,
        }
        peers: {
            a_late_answer_is_dropped,
            answers_that_nobody_asked_for_are_dropped,
            a_peer_that_closes_ends_its_calls,
            an_idempotent_call_is_made_again_on_a_new_socket,
            a_call_is_made_again_as_often_as_it_says,
            an_idempotent_method_is_made_again,
            nothing_beyond_go_micro_is_said_to_others,
            a_request_says_what_go_micro_needs,
        }
        half_close: {
            a_client_stream_is_answered_when_its_requests_have_ended,
        }
        callers: {
            every_request_is_answered_once,
            words_about_no_call_are_passed_over,
            a_peer_that_does_not_read_harms_nobody,
            a_stream_that_is_only_opened_ends_with_its_caller,
        }
    }
}
