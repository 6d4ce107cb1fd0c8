//! Events and the registry, while things go wrong.

use std::time::Duration;

use micro::prelude::*;
use micro::testing::{Faults, Testbed};

use super::{ask, hearing, instance, named, on_both, publish};

/// Ends a test's numbers. So often, that not all of them are lost.
const LAST: u32 = u32::MAX;
const LASTS: usize = 100;

/// What a subscriber heard of these many numbers while this went wrong.
async fn heard(bed: &Testbed, faults: Faults, count: u32) -> Vec<u32> {
    let (service, mut heard) = hearing(bed.service("listener"));
    let _service = service.start().await.unwrap();
    let publisher = bed.host("publisher").backends().await.unwrap();
    bed.event_faults(&faults);
    publish(&publisher, (0..count).chain([LAST; LASTS])).await;
    let mut numbers = Vec::new();
    loop {
        match heard.recv().await.unwrap() {
            LAST => return numbers,
            number => numbers.push(number),
        }
    }
}

async fn the_same_seed_loses_the_same_events(bed: Testbed) {
    let loss = Faults::default().with_loss(0.3);
    let bed = bed.with_seed(7);
    let first = heard(&bed, loss.clone(), 300).await;
    assert!((150..270).contains(&first.len()), "{} of 300 at 0.3", first.len());
    assert!(first.is_sorted());
    let bed = bed.with_seed(7);
    assert_eq!(heard(&bed, loss.clone(), 300).await, first);
    let bed = bed.with_seed(8);
    assert_ne!(heard(&bed, loss, 300).await, first);
}

async fn every_event_may_come_twice(bed: Testbed) {
    let twice = heard(&bed, Faults::default().with_duplicates(1.0), 10).await;
    assert!(twice.into_iter().eq((0..10).flat_map(|number| [number, number])));
}

async fn events_may_come_out_of_order(bed: Testbed) {
    let numbers = heard(&bed, Faults::default().with_reordering(1.0), 10).await;
    assert_eq!(numbers, [1, 0, 3, 2, 5, 4, 7, 6, 9, 8]);
}

async fn delayed_events_keep_their_order(bed: Testbed) {
    let delay = Duration::ZERO..=Duration::from_millis(5);
    let numbers = heard(&bed, Faults::default().with_delay(delay), 100).await;
    assert!(numbers.into_iter().eq(0..100));
}

async fn a_service_cannot_start_while_its_registration_is_lost(bed: Testbed) {
    bed.registry_faults(&Faults::default().with_loss(1.0));
    let builder = bed.service("test").serve(named("a"));
    assert_eq!(
        builder.start().await.unwrap_err().kind(),
        micro::ErrorKind::Unavailable
    );
    bed.registry_faults(&Faults::default());
    let _service = instance(&bed.host("test"), "a").await;
    assert_eq!(ask(&bed.client().await.unwrap()).await.as_deref(), Ok("a"));
}

async fn a_caller_cannot_find_while_lookups_are_lost(bed: Testbed) {
    let _service = instance(&bed.host("test"), "a").await;
    let client = bed.host("caller").client().await.unwrap();
    bed.registry_faults(&Faults::default().with_loss(1.0));
    assert_eq!(ask(&client).await.unwrap_err().code(), Code::Unavailable);
    bed.registry_faults(&Faults::default());
    assert_eq!(ask(&client).await.as_deref(), Ok("a"));
}

on_both!(
    the_same_seed_loses_the_same_events,
    every_event_may_come_twice,
    events_may_come_out_of_order,
    delayed_events_keep_their_order,
    a_service_cannot_start_while_its_registration_is_lost,
    a_caller_cannot_find_while_lookups_are_lost,
);
