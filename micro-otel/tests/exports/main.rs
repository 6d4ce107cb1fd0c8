//! What an exporter sees of calls and events, on memory and on NATS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod calls;
mod chain;
mod collector;
mod conventions;
mod exported;
mod kept;
mod measured;
mod metrics;
mod world;

/// A test of each of these on each backend.
macro_rules! on_both {
    ($($file:ident: { $($test:ident),+ $(,)? })+) => {
        mod memory {
            $($(
                #[tokio::test]
                async fn $test() {
                    crate::$file::$test(&crate::world::World::memory()).await;
                }
            )+)+
        }
        mod nats {
            $($(
                #[tokio::test]
                async fn $test() {
                    crate::$file::$test(&crate::world::World::nats().await).await;
                }
            )+)+
        }
    };
}

on_both! {
    chain: {
        one_trace_goes_over_services_and_events,
        a_trace_that_came_goes_on,
        what_is_handed_on_from_elsewhere_is_part_of_that,
    }
    calls: {
        both_ends_describe_a_call,
        a_stream_ends_with_its_last_item,
        a_failure_has_its_code,
        what_is_not_known_is_other,
        a_dropped_call_is_cancelled,
        another_attempt_is_the_same_span,
    }
    collector: {
        a_collector_gets_spans_and_metrics,
        without_a_collector_nothing_hangs,
    }
    conventions: {
        names_are_those_of_the_conventions,
    }
    metrics: {
        calls_are_counted_by_their_codes,
        what_runs_is_counted_while_it_does,
        what_is_not_served_makes_no_series,
        other_attempts_are_counted,
        hedges_are_counted_by_what_became_of_them,
        circuits_are_counted_when_they_change,
        events_are_counted_by_what_became_of_them,
    }
}
