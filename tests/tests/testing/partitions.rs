//! Hosts that are parted, and meet again.

use std::time::Duration;

use micro::ErrorKind;
use micro::prelude::*;
use micro::registry::WatchOptions;
use micro::testing::Testbed;

use super::{ask, hearing, instance, on_both, publish};

async fn a_partition_fails_calls_until_it_heals(bed: Testbed) {
    let _service = instance(&bed.host("there"), "there").await;
    let client = bed.host("here").client().await.unwrap();
    assert_eq!(ask(&client).await.as_deref(), Ok("there"));
    bed.partition(&["here"], &["there"]);
    assert_eq!(ask(&client).await.unwrap_err().code(), Code::Unavailable);
    bed.heal();
    assert_eq!(ask(&client).await.as_deref(), Ok("there"));
}

async fn a_call_in_flight_fails_and_its_handler_is_cancelled(bed: Testbed) {
    let mut peer = bed.scripted_service("test").await.unwrap();
    let client = bed.client().await.unwrap();
    let call = tokio::spawn(async move { ask(&client).await });
    let request = peer.expect::<Json<()>>("Test.Name").await;
    bed.isolate("test");
    assert_eq!(call.await.unwrap().unwrap_err().code(), Code::Unavailable);
    request.context.cancelled().await;
}

async fn callers_go_to_the_side_that_they_reach(bed: Testbed) {
    let (near, far) = (bed.host("near"), bed.host("far"));
    let _services = [instance(&near, "near").await, instance(&far, "far").await];
    let client = bed.client().await.unwrap();
    bed.partition(&["caller"], &["far"]);
    for _ in 0..20 {
        assert_eq!(ask(&client).await.as_deref(), Ok("near"));
    }
    let found = bed
        .host("caller")
        .backends()
        .await
        .unwrap()
        .registry()
        .get("test")
        .await
        .unwrap();
    assert_eq!(found.iter().map(|record| record.nodes.len()).sum::<usize>(), 1);
}

async fn a_subscriber_is_told_that_it_missed_events(bed: Testbed) {
    let (service, mut heard) = hearing(bed.service("listener"));
    let service = service.start().await.unwrap();
    let (far, near) = (bed.host("far"), bed.host("near"));
    let (far, near) = (far.backends().await.unwrap(), near.backends().await.unwrap());
    publish(&far, [0]).await;
    assert_eq!(heard.recv().await, Some(0));
    bed.partition(&["listener"], &["far"]);
    publish(&far, [1]).await;
    publish(&near, [2]).await;
    assert_eq!(heard.recv().await, Some(2));
    bed.heal();
    while service.events().gaps == 0 {
        tokio::task::yield_now().await;
    }
    publish(&far, [3]).await;
    assert_eq!(heard.recv().await, Some(3));
    // One that was only overtaken may come for a second. After that it is missing, whether or not another one comes.
    let missed = async {
        while service.events().missed == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), missed).await;
    waited.expect("it is missing after a second");
    publish(&far, [4]).await;
    assert_eq!(heard.recv().await, Some(4));
    assert_eq!(service.events().missed, 1);
}

async fn a_watcher_is_told_that_it_missed_changes(bed: Testbed) {
    let (here, there) = (bed.host("here"), bed.host("there"));
    let registry = here.backends().await.unwrap().registry().clone();
    let mut watcher = registry.watch(WatchOptions::default()).await.unwrap();
    let _open = there.backends().await.unwrap();
    bed.partition(&["here"], &["there"]);
    let _service = instance(&there, "there").await;
    assert_eq!(
        registry.get("test").await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    // A change that is seen came behind the one that is not.
    let _nearer = bed.service("near").start().await.unwrap();
    assert_eq!(watcher.recv().await.unwrap().service.name, "near");
    bed.heal();
    assert_eq!(watcher.recv().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(registry.get("test").await.unwrap().len(), 1);
}

on_both!(
    a_partition_fails_calls_until_it_heals,
    a_call_in_flight_fails_and_its_handler_is_cancelled,
    callers_go_to_the_side_that_they_reach,
    a_subscriber_is_told_that_it_missed_events,
    a_watcher_is_told_that_it_missed_changes,
);

#[tokio::test]
#[should_panic(expected = "no host \"hear\"; known: here")]
async fn a_partition_of_nobody_fails_the_test() {
    let bed = Testbed::memory();
    let _here = bed.host("here");
    bed.isolate("hear");
}
