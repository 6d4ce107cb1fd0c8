//! Hosts that are killed, and come back.

use std::collections::BTreeSet;

use micro::prelude::*;
use micro::testing::Testbed;
use micro::{Address, ErrorKind, SubscriberOptions};
use tokio::sync::mpsc;

use super::{ask, instance, named, on_both, publish};

async fn nothing_is_said_when_a_host_is_killed(bed: Testbed) {
    let host = bed.host("a");
    let service = instance(&host, "a").await;
    let client = bed.client().await.unwrap();
    assert_eq!(ask(&client).await.as_deref(), Ok("a"));
    host.kill();
    assert_eq!(ask(&client).await.unwrap_err().code(), Code::Unavailable);
    let stopped = service.shutdown().await;
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Unavailable);
    let registry = bed.host("caller").backends().await.unwrap().registry().clone();
    assert_eq!(
        registry.get("test").await.unwrap().len(),
        1,
        "it did not deregister"
    );
}

async fn calls_in_flight_end_and_their_handlers_are_cancelled(bed: Testbed) {
    let mut peer = bed.scripted_service("test").await.unwrap();
    let client = bed.client().await.unwrap();
    let call = tokio::spawn(async move { ask(&client).await });
    let request = peer.expect::<Json<()>>("Test.Name").await;
    bed.host("test").kill();
    let status = call.await.unwrap().unwrap_err();
    assert_eq!(
        (status.code(), status.is_never_delivered()),
        (Code::Unavailable, false)
    );
    request.context.cancelled().await;
}

async fn other_instances_take_over(bed: Testbed) {
    let (first, second) = (bed.host("first"), bed.host("second"));
    let _services = [instance(&first, "first").await, instance(&second, "second").await];
    let client = bed.client().await.unwrap();
    let mut seen = BTreeSet::new();
    while seen.len() < 2 {
        seen.insert(ask(&client).await.unwrap());
    }
    first.kill();
    for _ in 0..20 {
        assert_eq!(ask(&client).await.as_deref(), Ok("second"));
    }
}

async fn what_a_killed_host_is_asked_fails(bed: Testbed) {
    let host = bed.host("a");
    let service = instance(&host, "a").await;
    host.kill();
    let Err(status) = ask(service.client()).await else {
        panic!("a dead host called")
    };
    assert_eq!(status.code(), Code::Unavailable);
    let error = service.publish_to("numbers", &Json(1_u32)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let error = host.service("test").serve(named("b")).start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

async fn a_restarted_host_serves_again_where_it_did(bed: Testbed) {
    let host = bed.host("a");
    let address = || Address::new("the.place").unwrap();
    let start = || {
        host.service("test")
            .id("test-1")
            .address(address())
            .serve(named("a"))
            .start()
    };
    let first = start().await.unwrap();
    let client = bed.client().await.unwrap();
    assert_eq!(ask(&client).await.as_deref(), Ok("a"));
    host.restart();
    assert_eq!(ask(&client).await.unwrap_err().code(), Code::Unavailable);
    let _second = start().await.unwrap();
    drop(first);
    assert_eq!(ask(&client).await.as_deref(), Ok("a"));
}

async fn the_rest_of_a_queue_group_gets_all_events(bed: Testbed) {
    let (sender, mut heard) = mpsc::unbounded_channel();
    let mut members = Vec::new();
    for host in ["first", "second"] {
        let sender = sender.clone();
        let handler = move |_: Context, Json(number): Json<u32>| {
            let sent = sender.send((host, number));
            async move { sent.map_err(|_| Status::internal("the test has ended")) }
        };
        let options = SubscriberOptions::default().with_queue("workers");
        let service = bed.service(host).subscribe_with("numbers", options, handler);
        members.push(service.start().await.unwrap());
    }
    bed.host("first").kill();
    let publisher = bed.host("publisher").backends().await.unwrap();
    publish(&publisher, 0..50).await;
    for number in 0..50 {
        assert_eq!(heard.recv().await, Some(("second", number)));
    }
}

on_both!(
    nothing_is_said_when_a_host_is_killed,
    calls_in_flight_end_and_their_handlers_are_cancelled,
    other_instances_take_over,
    what_a_killed_host_is_asked_fails,
    a_restarted_host_serves_again_where_it_did,
    the_rest_of_a_queue_group_gets_all_events,
);
