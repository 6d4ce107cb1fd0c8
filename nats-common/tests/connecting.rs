//! Opening, sharing, losing and dropping connections.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use micro_conformance::nats_server::NatsServer;
use micro_core::{ErrorKind, PluginConfig};
use nats_common::{Connection, Outgoing};

fn config(list: &str) -> PluginConfig {
    PluginConfig::default().with_addresses(list)
}

#[tokio::test]
async fn those_who_share_get_one_connection() {
    let server = NatsServer::start().await;
    let config = config(&server.url());
    let shared = join_all((0..10).map(|_| Connection::shared(&config))).await;
    let shared: Vec<_> = shared.into_iter().map(Result::unwrap).collect();
    assert!(
        shared
            .iter()
            .all(|connection| Arc::ptr_eq(connection, &shared[0]))
    );
    let named = Connection::shared(&config.clone().with_client_name("later"))
        .await
        .unwrap();
    assert!(Arc::ptr_eq(&named, &shared[0]));
    let own = Connection::open(&config).await.unwrap();
    assert!(!Arc::ptr_eq(&own, &shared[0]));
    let polling = config.with_busy_poll(Duration::from_micros(50));
    let polling = Connection::shared(&polling).await.unwrap();
    assert!(!Arc::ptr_eq(&polling, &shared[0]));
    assert_eq!(server.monitor("/connz").await["num_connections"], 3);
}

#[tokio::test]
async fn a_shared_connection_ends_with_its_last_holder() {
    let server = NatsServer::start().await;
    let config = config(&server.url()).with_client_name("greeter");
    let first = Connection::shared(&config).await.unwrap();
    assert_eq!(
        server.monitor("/connz").await["connections"][0]["name"],
        "greeter"
    );
    drop(first);
    while server.monitor("/connz").await["num_connections"] != 0 {
        tokio::task::yield_now().await;
    }
    Connection::shared(&config).await.unwrap().fence().await.unwrap();
}

#[tokio::test]
async fn those_who_wait_together_fail_together() {
    let config = config("127.0.0.1:1");
    let results = join_all((0..3).map(|_| Connection::shared(&config))).await;
    for result in results {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(
            error.to_string(),
            "cannot connect to NATS at 127.0.0.1:1: connection refused; is nats-server running there?"
        );
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_unavailable() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let error = Connection::open(&config(&address)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains(&address), "{error}");
}

#[tokio::test]
async fn the_first_server_that_answers_is_used() {
    let server = NatsServer::start().await;
    let list = format!("127.0.0.1:1,not an address,{}", server.address());
    Connection::open(&config(&list))
        .await
        .unwrap()
        .fence()
        .await
        .unwrap();
}

#[tokio::test]
async fn an_address_that_does_not_parse_is_named_when_nothing_else_works() {
    let error = Connection::open(&config("127.0.0.1:1,127.0.0.1:x"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("\"127.0.0.1:x\""), "{error}");
    assert!(
        error.to_string().contains("127.0.0.1:1: connection refused"),
        "{error}"
    );
}

#[tokio::test]
async fn a_wrong_credential_is_refused_at_the_start() {
    let users = "authorization { user: ada, password: right }";
    let server = NatsServer::builder().config(users).start().await;
    for login in ["", "ada:wrong@", "token@"] {
        let error = Connection::open(&config(&format!("{login}{}", server.address())))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(!error.to_string().contains("wrong"), "{error}");
    }
    let right = config(&format!("nats://ada:right@{}", server.address()));
    Connection::open(&right).await.unwrap().fence().await.unwrap();
}

#[tokio::test]
async fn the_next_server_of_the_list_is_used_when_one_dies() {
    let (mut first, second) = (NatsServer::start().await, NatsServer::start().await);
    let list = format!("{},{}", first.url(), second.url());
    let connection = Connection::open(&config(&list)).await.unwrap();
    let mut feed = connection.subscribe("a", None, 10).await.unwrap();
    first.kill().await;
    let lost = feed.next().await.unwrap().unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Unavailable);
    connection.publish(Outgoing::new("a", "here")).await.unwrap();
    assert_eq!(feed.next().await.unwrap().unwrap().payload, "here");
    assert_eq!(*connection.disconnects().borrow(), 1);
}

#[tokio::test]
async fn a_publish_without_a_connection_waits_and_then_says_so() {
    let mut server = NatsServer::start().await;
    let connection = Connection::open(&config(&server.url())).await.unwrap();
    let mut feed = connection.subscribe("a", None, 10).await.unwrap();
    server.kill().await;
    feed.next().await.unwrap().unwrap_err();
    let early = connection.publish(Outgoing::new("a", "early")).await.unwrap_err();
    assert_eq!(early.kind(), ErrorKind::Unavailable);
    connection.publish_now(Outgoing::new("a", "kept"));
    let (sent, ()) = tokio::join!(connection.publish(Outgoing::new("a", "waited")), server.restart());
    sent.unwrap();
    let mut came = [feed.next().await, feed.next().await].map(|item| item.unwrap().unwrap().payload);
    came.sort();
    assert_eq!(came, ["kept", "waited"]);
}

#[test]
fn everything_may_be_dropped_outside_a_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, connection, feed, mailbox) = runtime.block_on(async {
        let server = NatsServer::start().await;
        let connection = Connection::open(&config(&server.url())).await.unwrap();
        let feed = connection.subscribe("a", None, 10).await.unwrap();
        let mailbox = connection.mailbox(1);
        (server, connection, feed, mailbox)
    });
    drop(feed);
    connection.publish_now(Outgoing::new("a", "from no runtime"));
    runtime.block_on(connection.fence()).unwrap();
    drop((server, runtime));
    connection.publish_now(Outgoing::new("a", "to no runtime"));
    drop((mailbox, connection));
}

#[tokio::test]
async fn a_connection_polls_while_there_is_traffic_and_sleeps_when_there_is_none() {
    let server = NatsServer::start().await;
    let polling = config(&server.url()).with_busy_poll(Duration::from_micros(50));
    let connection = Connection::open(&polling).await.unwrap();
    sleeps(&connection).await;
    let before = connection.busy_polls();
    connection.fence().await.unwrap();
    assert!(connection.busy_polls() > before);
    sleeps(&connection).await;
}

/// Returns when it polls no more: one that polls does it once while another task yields.
async fn sleeps(connection: &Connection) {
    let mut polls = u64::MAX;
    while polls != connection.busy_polls() {
        polls = connection.busy_polls();
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_connection_does_not_poll_unless_it_is_told_to() {
    let server = NatsServer::start().await;
    for config in [
        config(&server.url()),
        config(&server.url()).with_busy_poll(Duration::ZERO),
    ] {
        let connection = Connection::open(&config).await.unwrap();
        connection.fence().await.unwrap();
        assert_eq!(connection.busy_polls(), 0);
    }
}

#[tokio::test]
async fn polling_for_too_long_is_refused() {
    let polling = config("127.0.0.1:1").with_busy_poll(Duration::from_secs(50));
    let error = Connection::shared(&polling).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("at most 10ms"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn polling_is_refused_where_it_would_take_a_thread_from_others() {
    let polling = config("127.0.0.1:1").with_busy_poll(Duration::from_micros(50));
    let error = Connection::shared(&polling).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("current_thread"), "{error}");
}
