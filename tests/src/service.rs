//! The clauses of [`micro::Service`], on any three backends.

use micro_core::{Broker, Registry, Transport};

use crate::clause::suite;
use crate::world::World;

mod calling;
mod events;
mod failing;
mod layers;
pub(crate) mod process;
mod refusing;
mod registering;
mod starting;
mod stopping;
mod traces;

/// Where a clause gets processes, each with its own instance of a transport, a broker and a registry.
pub type ServiceWorld = dyn ServiceBackends;

/// A world of all three contracts.
pub trait ServiceBackends: World<dyn Transport> + World<dyn Broker> + World<dyn Registry> {}

impl<W: World<dyn Transport> + World<dyn Broker> + World<dyn Registry>> ServiceBackends for W {}

suite! {
    $
    /// Makes a module of that name, with a test for each clause of [`service`](crate::service), in the world that
    /// the expression opens. The expression is evaluated for each, and may await.
    service_suite in service {
        starting: {
            a_ready_service_is_reached_at_once,
            a_ready_service_gets_the_next_event,
            a_mistake_is_reported_at_the_start,
            a_failed_start_leaves_nothing_behind,
            an_advertised_address_is_dialled,
        }
        registering: {
            instances_are_nodes_of_one_service,
            versions_stay_apart,
            a_successor_under_the_same_id_stays,
            the_record_says_what_others_need,
            a_service_outlives_its_time_to_live,
            a_dropped_service_leaves_the_registry,
        }
        calling: {
            health_is_answered_by_name,
            a_service_calls_others,
            a_layer_sees_every_request,
            the_client_is_as_it_was_set,
        }
        events: {
            a_queue_group_of_instances_shares_the_events,
            every_instance_gets_every_event,
            a_handler_that_fails_gets_the_next_event,
            an_event_arrives_whole,
            a_handler_may_publish,
            publishing_needs_no_subscriber,
        }
        layers: {
            a_layer_of_a_client_sees_every_call,
            a_deadline_bounds_the_layers_too,
            the_errors_of_layers_have_their_codes,
            metadata_tells_who_may,
            an_early_refusal_is_made_good_by_another_node,
            a_circuit_opens_and_closes,
        }
        traces: {
            a_trace_is_handed_on,
            a_trace_is_handed_on_by_streams,
            no_trace_is_made_up,
        }
        failing: {
            an_event_knows_its_topic,
            an_event_is_read_by_its_content_type,
            what_fails_is_told_with_the_event,
            a_subscription_has_an_error_handler_of_its_own,
            redelivery_is_refused_where_the_broker_cannot,
        }
        stopping: {
            a_stop_leaves_the_registry_and_then_finishes,
            a_stop_says_what_it_cut,
            a_stop_handles_what_was_delivered,
            a_dropped_service_cuts_what_it_had,
            restarting_instances_in_turn_loses_nothing,
        }
    }
}
