//! Events and the registry, while things go wrong.

use std::time::Duration;

use micro::prelude::*;
use micro::registry::{RegisterOptions, WatchOptions};
use micro::testing::{Faults, Testbed};
use micro::{Action, ErrorKind, Node, ServiceRecord};

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
    assert_eq!(builder.start().await.unwrap_err().kind(), ErrorKind::Unavailable);
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

/// What a watcher of another host is told while a service is registered so many times.
async fn watched(bed: &Testbed, faults: Faults, times: usize) -> Vec<Result<Action, ErrorKind>> {
    let watching = bed.host("watcher").backends().await.unwrap();
    let mut watcher = watching.registry().watch(WatchOptions::default()).await.unwrap();
    let registering = bed.host("test").backends().await.unwrap();
    let record = ServiceRecord::new("test", "1").with_node(Node::new("test-1", "nowhere"));
    bed.registry_faults(&faults);
    let mut seen = Vec::new();
    while seen.len() < times {
        let registered = registering
            .registry()
            .register(&record, RegisterOptions::default());
        if registered.await.is_ok() {
            let change = watcher.recv().await;
            seen.push(change.map(|change| change.action).map_err(|error| error.kind()));
        }
    }
    seen
}

async fn a_watcher_is_told_of_each_change_that_it_lost(bed: Testbed) {
    let seen = watched(&bed.with_seed(7), Faults::default().with_loss(0.5), 40).await;
    let lost = seen
        .iter()
        .filter(|seen| **seen == Err(ErrorKind::Unavailable))
        .count();
    assert!((5..35).contains(&lost), "{seen:?}");
    assert!(
        seen.iter().filter(|seen| seen.is_err()).count() == lost,
        "{seen:?}"
    );
}

async fn a_change_may_be_seen_twice(bed: Testbed) {
    let watching = bed.host("watcher").backends().await.unwrap();
    let mut watcher = watching.registry().watch(WatchOptions::default()).await.unwrap();
    bed.registry_faults(&Faults::default().with_duplicates(1.0));
    let service = instance(&bed.host("test"), "a").await;
    let (first, second) = (watcher.recv().await.unwrap(), watcher.recv().await.unwrap());
    assert_eq!((first.action, &first.service), (Action::Create, service.record()));
    assert_eq!(first, second);
}

on_both!(
    a_watcher_is_told_of_each_change_that_it_lost,
    a_change_may_be_seen_twice,
    the_same_seed_loses_the_same_events,
    every_event_may_come_twice,
    events_may_come_out_of_order,
    delayed_events_keep_their_order,
    a_service_cannot_start_while_its_registration_is_lost,
    a_caller_cannot_find_while_lookups_are_lost,
);
