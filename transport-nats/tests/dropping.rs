//! Drops need no runtime, and still tell the peer.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use micro_conformance::nats_server::NatsServer;
use micro_core::Message;

use support::{accept, dial, listen, transport};

#[test]
fn a_socket_dropped_outside_a_runtime_ends_its_peer() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, here, there, listener, near, mut far) = runtime.block_on(async {
        let server = NatsServer::start().await;
        let (here, there) = (transport(&server).await, transport(&server).await);
        let mut listener = listen(&there).await;
        let mut near = dial(&here, &listener).await;
        let far = accept(&mut listener).await;
        near.send(Message::new("last")).await.unwrap();
        (server, here, there, listener, near, far)
    });
    drop(near);
    runtime.block_on(async {
        assert_eq!(far.recv().await.unwrap().unwrap().body, "last");
        assert!(far.recv().await.is_none());
    });
    drop(listener);
    let near = runtime.block_on(async {
        let listener = listen(&there).await;
        dial(&here, &listener).await
    });
    drop((server, runtime));
    drop((near, far, here, there));
}
