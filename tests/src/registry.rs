//! The clauses of [`Registry`].

use micro_core::Registry;

use crate::clause::suite;
use crate::world::World;

mod finding;
mod lifetime;
mod names;
mod nodes;
mod records;
mod watching;

/// Where a clause gets registries.
pub type RegistryWorld = dyn World<dyn Registry>;

suite! {
    $
    /// Makes a module of that name, with a test for each clause of [`registry`](crate::registry), in the world that
    /// the expression opens. The expression is evaluated for each, and may await.
    registry_suite in registry {
        finding: {
            a_registered_service_is_found_at_once,
            a_registry_finds_what_it_registered_itself,
            an_unknown_service_is_not_found,
            an_empty_list_is_ok,
            a_list_has_every_version_of_every_service,
            a_record_is_found_unchanged,
            a_cancelled_get_leaves_nothing_behind,
        }
        nodes: {
            the_same_node_id_again_replaces_it,
            nodes_of_one_version_are_merged,
            nodes_registered_at_once_are_all_found,
            versions_stay_apart,
            a_deregistered_node_is_gone,
            the_last_node_takes_the_service_with_it,
            deregistering_what_is_not_there_is_ok,
        }
        lifetime: {
            a_node_that_is_not_refreshed_ages_out,
            a_refreshed_node_lives_on,
            what_a_dropped_registry_registered_is_gone,
            a_node_may_come_back_under_its_id,
        }
        watching: {
            a_watcher_sees_registration_and_deregistration,
            a_watcher_sees_a_refresh,
            a_watcher_sees_a_node_age_out,
            a_watcher_of_one_service_sees_no_other,
            a_ready_watcher_sees_the_next_change,
            every_watcher_sees_each_change,
            a_dropped_watcher_disturbs_nobody,
            a_slow_watcher_is_told_that_it_lost_changes,
            a_cancelled_recv_loses_no_change,
        }
        names: {
            an_illegal_name_is_invalid_argument,
            a_record_that_nobody_could_call_is_invalid_argument,
        }
    }
}
