//! What is said to be undelivered was handed to nobody, and everything else was.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::time::Duration;

use futures::StreamExt;
use micro_conformance::nats_server::NatsServer;
use micro_core::{Address, ErrorKind, ListenOptions, Message, Socket, Transport};
use nats_common::{Delivery, Outgoing};
use tokio::time::timeout;

use support::{Process, accept, dial, listen, transport};

/// Sends until the socket refuses, and says how many messages it took.
async fn send_until_refused(mut sender: micro_core::transport::SocketSender) -> usize {
    let mut sent = 0;
    while sender.send(Message::new("x")).await.is_ok() {
        sent += 1;
        tokio::task::yield_now().await;
    }
    sent
}

/// How many messages came until the end.
async fn count(mut far: Socket) -> usize {
    let mut received = 0;
    while let Some(Ok(_)) = far.recv().await {
        received += 1;
    }
    received
}

/// Returns when the server hands what is sent there to nobody.
async fn until_nobody_is_there(server: &NatsServer, address: &Address) {
    let raw = support::connection(server).await;
    let mut answers = raw.mailbox(1);
    loop {
        let question = Outgoing::new(address.as_str(), "").with_reply(answers.subject().clone());
        raw.publish(question).await.unwrap();
        let answer = timeout(Duration::from_millis(50), answers.next()).await;
        if let Ok(Some(Ok(Delivery::NoResponders))) = answer {
            return;
        }
    }
}

/// The sum of what the errors of a socket claim, until it ends.
async fn claimed(mut receiver: micro_core::transport::SocketReceiver) -> usize {
    let mut claimed = 0;
    while let Some(item) = receiver.recv().await {
        if let Err(error) = item {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
            claimed += error.undelivered();
        }
    }
    claimed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaving_listener_loses_nothing_of_what_is_being_sent() {
    let server = NatsServer::start().await;
    let (here, there) = (transport(&server).await, transport(&server).await);
    for round in 0..30 {
        let mut listener = listen(&there).await;
        let near = dial(&here, &listener).await;
        let far = accept(&mut listener).await;
        let (sender, receiver) = near.split();
        let (sending, claims) = (
            tokio::spawn(send_until_refused(sender)),
            tokio::spawn(claimed(receiver)),
        );
        let receiving = tokio::spawn(count(far));
        for _ in 0..round * 10 {
            tokio::task::yield_now().await;
        }
        listener.close().await.unwrap();
        let sent = sending.await.unwrap();
        let (received, claimed) = (receiving.await.unwrap(), claims.await.unwrap());
        assert_eq!(
            received + claimed,
            sent,
            "round {round}: {received} received, {claimed} claimed"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_peer_was_not_sent_is_undelivered() {
    let server = NatsServer::start().await;
    let here = transport(&server).await;
    for _ in 0..5 {
        let process = Process::start();
        let url = server.url();
        let (listener, far, near) = {
            let there = process
                .run(async move {
                    let config = micro_core::PluginConfig::default().with_addresses(&url);
                    transport_nats::NatsTransport::new(nats_common::Connection::open(&config).await.unwrap())
                })
                .await;
            let mut listener = listen(&there).await;
            let near = dial(&here, &listener).await;
            let far = accept(&mut listener).await;
            (listener, far, near)
        };
        process.kill((listener, far));
        until_nobody_is_there(&server, near.remote()).await;
        let (sender, mut receiver) = near.split();
        let sending = tokio::spawn(send_until_refused(sender));
        let error = receiver.recv().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        let sent = sending.await.unwrap();
        assert_eq!(error.undelivered(), sent, "{error:?}");
        assert!(receiver.recv().await.is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_claimed_of_an_address_that_is_taken_over() {
    let server = NatsServer::start().await;
    let (here, there) = (transport(&server).await, transport(&server).await);
    let address = Address::new("fixed.address").unwrap();
    let options = ListenOptions::default().with_address(address.clone());
    let first = there.listen(options.clone()).await.unwrap();
    let peer = micro_core::DialOptions::default().with_peer(first.metadata().clone());
    first.close().await.unwrap();
    let mut near = here.dial(&address, peer).await.unwrap();
    near.send(Message::new("to nobody")).await.unwrap();
    // The server's word has come by now, and has not been looked at.
    support::connection(&server).await.fence().await.unwrap();
    while near.send(Message::new("to nobody")).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let _second = there.listen(options).await.unwrap();
    let error = near.recv().await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.undelivered()), (ErrorKind::Unavailable, 0));
}
