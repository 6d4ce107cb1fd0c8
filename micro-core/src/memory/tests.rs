//! What holds beyond the clauses of `micro-conformance`: exact counts, limits, and a clock that stands still.

use std::time::Duration;

use super::*;
use crate::registry::{RegisterOptions, WatchOptions};
use crate::{Action, Address, Broker, ErrorKind, Message, Node, Registry, ServiceRecord};
use crate::{DialOptions, ListenOptions, Listener, Socket, SubscribeOptions, Transport};

async fn listen(transport: &MemoryTransport) -> Listener {
    transport.listen(ListenOptions::default()).await.unwrap()
}

async fn dial(transport: &MemoryTransport, listener: &Listener) -> Socket {
    transport
        .dial(listener.address(), DialOptions::default())
        .await
        .unwrap()
}

async fn connected() -> (Socket, Socket) {
    let transport = MemoryTransport::new();
    let mut listener = listen(&transport).await;
    let near = dial(&transport, &listener).await;
    (near, listener.accept().await.unwrap())
}

async fn send(socket: &mut Socket, count: usize) {
    for _ in 0..count {
        socket.send(Message::new("x")).await.unwrap();
    }
}

/// The error after which the socket ends.
async fn last_error(mut socket: Socket) -> crate::Error {
    let error = socket.recv().await.unwrap().unwrap_err();
    assert!(socket.recv().await.is_none());
    error
}

#[test]
fn a_world_is_shared_by_name_and_ends_with_its_last_user() {
    let worlds = Worlds::<Mutex<u32>>::new();
    let first = worlds.open("a");
    *first.lock() = 1;
    assert_eq!((*worlds.open("a").lock(), *worlds.open("b").lock()), (1, 0));
    drop(first);
    assert_eq!(*worlds.open("a").lock(), 0);
    assert_eq!(worlds.0.lock().len(), 1);
}

#[tokio::test]
async fn plugins_open_the_world_that_the_first_address_names() {
    let mut plugins = Plugins::new();
    register(&mut plugins);
    let open = async |list| {
        let config = PluginConfig::default().with_addresses(list);
        plugins.transport.open(NAME, config).await.unwrap()
    };
    let address = Address::new("a.place").unwrap();
    let options = ListenOptions::default().with_address(address.clone());
    let _listener = open("plugins-x, plugins-y").await.listen(options).await.unwrap();
    let dial = async |list| open(list).await.dial(&address, DialOptions::default()).await;
    assert!(dial("plugins-x").await.is_ok());
    assert!(dial("plugins-y").await.is_err());
    assert!(dial("").await.is_err());
}

#[tokio::test]
async fn what_a_dropped_peer_never_read_is_undelivered() {
    let (mut near, mut far) = connected().await;
    send(&mut near, 5).await;
    send(&mut far, 1).await;
    far.recv().await.unwrap().unwrap();
    drop(far);
    assert!(near.recv().await.unwrap().is_ok(), "what was sent comes first");
    let error = last_error(near).await;
    assert_eq!((error.kind(), error.undelivered()), (ErrorKind::Unavailable, 4));
}

#[tokio::test]
async fn what_a_closed_peer_never_read_is_undelivered() {
    let (mut near, far) = connected().await;
    send(&mut near, 3).await;
    far.close().await.unwrap();
    assert_eq!(
        near.send(Message::new("x")).await.unwrap_err().kind(),
        ErrorKind::Closed
    );
    assert_eq!(last_error(near).await.undelivered(), 3);
}

#[tokio::test]
async fn a_peer_that_stops_reading_answers_first_and_tells_at_its_end() {
    let (mut near, mut far) = connected().await;
    send(&mut near, 2).await;
    far.recv().await.unwrap().unwrap();
    let (mut sender, receiver) = far.split();
    drop(receiver);
    sender.send(Message::new("the answer")).await.unwrap();
    drop(sender);
    assert_eq!(near.recv().await.unwrap().unwrap().body, "the answer");
    assert_eq!(last_error(near).await.undelivered(), 1);
}

#[tokio::test]
async fn what_was_sent_to_a_socket_that_nobody_accepted_is_undelivered() {
    let transport = MemoryTransport::new();
    let listener = listen(&transport).await;
    let mut near = dial(&transport, &listener).await;
    send(&mut near, 7).await;
    drop(listener);
    assert_eq!(last_error(near).await.undelivered(), 7);
}

#[tokio::test]
async fn a_slot_reserved_and_not_used_does_not_keep_the_socket_open() {
    let (near, mut far) = connected().await;
    let (mut sender, _receiver) = near.split();
    std::future::poll_fn(|cx| futures::SinkExt::poll_ready_unpin(&mut sender, cx))
        .await
        .unwrap();
    sender.finish().await.unwrap();
    assert!(far.recv().await.is_none());
}

#[tokio::test]
async fn a_dial_beyond_the_accept_queue_is_unavailable() {
    let transport = MemoryTransport::new();
    let listener = listen(&transport).await;
    let mut waiting = Vec::new();
    let error = loop {
        match transport.dial(listener.address(), DialOptions::default()).await {
            Ok(socket) => waiting.push(socket),
            Err(error) => break error,
        }
    };
    assert_eq!(
        (error.kind(), waiting.len()),
        (ErrorKind::Unavailable, ListenOptions::default().backlog)
    );
}

#[tokio::test]
async fn an_error_names_the_operation_and_the_address() {
    let address = Address::new("nobody").unwrap();
    let error = MemoryTransport::new()
        .dial(&address, DialOptions::default())
        .await
        .unwrap_err();
    let expected = "dial: nobody listens; transport memory sees only its own process, --transport=nats reaches \
                    others (address: nobody)";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn members_share_fairly_however_topics_take_turns() {
    let broker = MemoryBroker::new();
    let member = async || {
        let options = SubscribeOptions::default().with_queue("q");
        broker.subscribe("a", options).await.unwrap()
    };
    let mut members = [member().await, member().await];
    for _ in 0..1000 {
        broker.publish("a", Message::new("x")).await.unwrap();
        // Takes every other turn.
        broker.publish("b", Message::new("x")).await.unwrap();
    }
    for member in &mut members {
        member.drain().await.unwrap();
        let share = futures::StreamExt::count(member).await;
        assert!((350..=650).contains(&share), "{share} of 1000");
    }
}

fn record(id: &str) -> ServiceRecord {
    ServiceRecord::new("greeter", "1").with_node(Node::new(id, "x"))
}

fn seconds(ttl: u64) -> RegisterOptions {
    RegisterOptions::default().with_ttl(Duration::from_secs(ttl))
}

#[tokio::test(start_paused = true)]
async fn a_node_ages_out_at_its_time_and_a_refreshed_one_later() {
    let registry = MemoryRegistry::new();
    let mut watcher = registry.watch(WatchOptions::default()).await.unwrap();
    registry.register(&record("a"), seconds(10)).await.unwrap();
    tokio::time::advance(Duration::from_secs(9)).await;
    registry.register(&record("a"), seconds(10)).await.unwrap();
    tokio::time::advance(Duration::from_secs(9)).await;
    assert!(registry.get("greeter").await.is_ok());
    let start = tokio::time::Instant::now();
    for action in [Action::Create, Action::Update, Action::Delete] {
        assert_eq!(watcher.recv().await.unwrap().action, action);
    }
    assert_eq!(start.elapsed().as_secs(), 1);
    assert_eq!(
        registry.get("greeter").await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test(start_paused = true)]
async fn a_watcher_that_waits_takes_up_a_shorter_time() {
    let registry = MemoryRegistry::new();
    registry.register(&record("a"), seconds(100)).await.unwrap();
    let mut watcher = registry.watch(WatchOptions::default()).await.unwrap();
    let start = tokio::time::Instant::now();
    let waiting = tokio::spawn(async move {
        watcher.recv().await.unwrap();
        watcher.recv().await.unwrap()
    });
    tokio::task::yield_now().await;
    registry.register(&record("b"), seconds(2)).await.unwrap();
    let change = waiting.await.unwrap();
    assert_eq!(
        (change.action, change.service.nodes[0].id.as_str()),
        (Action::Delete, "b")
    );
    assert_eq!(start.elapsed().as_secs(), 2);
}

#[tokio::test]
async fn each_instance_answers_for_its_own_nodes() {
    let (one, other) = (MemoryRegistry::named("own"), MemoryRegistry::named("own"));
    one.register(&record("a"), seconds(90)).await.unwrap();
    other.deregister(&record("a")).await.unwrap();
    assert!(other.get("greeter").await.is_ok());
    other.register(&record("a"), seconds(90)).await.unwrap();
    drop(one);
    assert!(other.get("greeter").await.is_ok(), "taken over by the other");
    drop(other);
    assert!(MemoryRegistry::named("own").list().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_time_to_live_beyond_the_clock_is_for_ever() {
    let registry = MemoryRegistry::new();
    let options = RegisterOptions::default().with_ttl(Duration::MAX);
    registry.register(&record("a"), options).await.unwrap();
    assert!(registry.get("greeter").await.is_ok());
}
