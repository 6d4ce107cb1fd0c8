//! Feeds, mailboxes, and leaving.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use micro_conformance::nats_server::NatsServer;
use micro_core::{ErrorKind, PluginConfig};
use nats_common::{Connection, Delivery, Feed, Outgoing};
use tokio::time::timeout;

async fn connection(server: &NatsServer) -> Arc<Connection> {
    let config = PluginConfig::default().with_addresses(&server.url());
    Connection::open(&config).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_ready_when_it_is_there() {
    let server = NatsServer::start().await;
    let (here, there) = (connection(&server).await, connection(&server).await);
    for index in 0..500 {
        let subject = format!("ready.{index}");
        let mut feed = here.subscribe(&subject, None, 1).await.unwrap();
        // Had it come too late, the answer would be that nobody is there.
        let mut word = there.mailbox(1);
        let message = Outgoing::new(subject, "now").with_reply(word.subject().clone());
        there.publish(message).await.unwrap();
        tokio::select! {
            came = feed.next() => assert_eq!(came.unwrap().unwrap().payload, "now"),
            missed = word.next() => panic!("missed: {missed:?}"),
        }
    }
}

#[tokio::test]
async fn an_illegal_subject_is_invalid_argument() {
    let server = NatsServer::start().await;
    let connection = connection(&server).await;
    for subject in ["", "a..b", ".a", "a b"] {
        let error = connection.subscribe(subject, None, 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{subject:?}");
    }
    let error = connection.subscribe("a", Some("q q"), 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let error = connection.publish(Outgoing::new("a b", "")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn a_full_feed_says_how_much_it_lost_and_stalls_nobody() {
    let server = NatsServer::start().await;
    let connection = connection(&server).await;
    let mut small = connection.subscribe("a", None, 2).await.unwrap();
    let mut large = connection.subscribe("a", None, 10).await.unwrap();
    for index in 0..5u8 {
        connection.publish(Outgoing::new("a", vec![index])).await.unwrap();
    }
    for index in 0..5u8 {
        assert_eq!(large.next().await.unwrap().unwrap().payload, vec![index]);
    }
    small.leave().await.unwrap();
    assert_eq!(small.next().await.unwrap().unwrap_err().lost(), Some(3));
    assert_eq!(small.next().await.unwrap().unwrap().payload, vec![0]);
    assert_eq!(small.next().await.unwrap().unwrap().payload, vec![1]);
    assert!(small.next().await.is_none());
}

#[tokio::test]
async fn a_feed_that_is_left_without_a_connection_hands_out_what_waits_and_ends() {
    let mut server = NatsServer::start().await;
    let connection = connection(&server).await;
    let mut feed = connection.subscribe("a", None, 4).await.unwrap();
    connection.publish(Outgoing::new("a", "before")).await.unwrap();
    connection.fence().await.unwrap();
    server.stop().await;
    // It is given up, whether or not it was noticed that the connection is gone.
    feed.leave().await.ok();
    assert_eq!(feed.next().await.unwrap().unwrap().payload, "before");
    while let Some(told) = feed.next().await {
        assert_eq!(told.unwrap_err().kind(), ErrorKind::Unavailable);
    }
}

/// While the client connects again it takes what fits into its queue, and then nothing, not even that somebody leaves.
#[tokio::test]
async fn a_feed_is_left_also_when_the_client_takes_no_orders() {
    let mut server = NatsServer::start().await;
    let connection = connection(&server).await;
    let mut feed = connection.subscribe("a", None, 4).await.unwrap();
    // Counts of client and server part here, so that leaving asks the server nothing before it drains.
    server.restart().await;
    while connection.fence().await.is_err() {}
    server.freeze().await;
    let stuffing = Outgoing::new("stuffing", vec![0; 256 * 1024]);
    let publish = || timeout(Duration::from_secs(1), connection.publish(stuffing.clone()));
    while publish().await.is_ok() {}
    let left = timeout(Duration::from_secs(60), feed.leave()).await;
    server.thaw().await;
    left.expect("left within the limit").ok();
    while feed.next().await.is_some() {}
}

#[tokio::test]
async fn a_mailbox_hears_answers_and_that_nobody_is_there() {
    let server = NatsServer::start().await;
    let connection = connection(&server).await;
    let mut mailbox = connection.mailbox(4);
    let ask = Outgoing::new("nobody", "").with_reply(mailbox.subject().clone());
    connection.publish(ask).await.unwrap();
    assert!(matches!(
        mailbox.next().await.unwrap().unwrap(),
        Delivery::NoResponders
    ));
    connection
        .publish(Outgoing::new(mailbox.subject().clone(), "answer"))
        .await
        .unwrap();
    match mailbox.next().await.unwrap().unwrap() {
        Delivery::Message(message) => assert_eq!(message.payload, "answer"),
        other => panic!("{other:?}"),
    }
    let late = Outgoing::new(mailbox.subject().clone(), "late");
    drop(mailbox);
    connection.publish(late).await.unwrap();
    connection.fence().await.unwrap();
    assert_eq!(connection.strays(), 1);
}

#[tokio::test]
async fn a_refused_subject_is_named() {
    let users = r#"authorization { users = [ { user: a, password: b, permissions: {
        publish: ["_INBOX.>", "ok"], subscribe: ["_INBOX.>", "ok"] } } ] }"#;
    let server = NatsServer::builder().config(users).start().await;
    let config = PluginConfig::default().with_addresses(&format!("a:b@{}", server.address()));
    let connection = Connection::open(&config).await.unwrap();
    connection.subscribe("ok", None, 1).await.unwrap();
    let refused = match connection.subscribe("denied", Some("group"), 1).await {
        // On a busy machine the word may come just after the fence.
        Ok(mut feed) => feed.next().await.unwrap().unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    assert!(refused.to_string().contains("\"denied\""), "{refused}");
    let mut mailbox = connection.mailbox(1);
    connection.publish(Outgoing::new("denied", "")).await.unwrap();
    let refused = mailbox.next().await.unwrap().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
}

/// Publishes until told to stop, as fast as the server can, and says how much.
async fn flood(connection: Arc<Connection>, stop: Arc<AtomicBool>) -> u64 {
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..256 {
            connection.publish(Outgoing::new("work", "x")).await.unwrap();
            sent += 1;
        }
        connection.fence().await.unwrap();
    }
    sent
}

async fn drained(mut feed: Feed) -> u64 {
    feed.leave().await.unwrap();
    let mut received = 0;
    while let Some(message) = feed.next().await {
        message.unwrap();
        received += 1;
    }
    received
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_loses_nothing_when_members_leave() {
    let server = NatsServer::start().await;
    let (here, there) = (connection(&server).await, connection(&server).await);
    let stays = there.subscribe("work", Some("group"), 10_000_000).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let flooding = tokio::spawn(flood(there, stop.clone()));
    let mut received = 0;
    for _ in 0..20 {
        let mut feed = here.subscribe("work", Some("group"), 1_000_000).await.unwrap();
        feed.next().await.unwrap().unwrap();
        received += 1 + drained(feed).await;
    }
    stop.store(true, Ordering::Relaxed);
    let sent = flooding.await.unwrap();
    received += drained(stays).await;
    assert_eq!(received, sent);
}
