//! Two ends, each with a NATS connection of its own, as two processes have.
#![allow(dead_code, unreachable_pub, reason = "no test uses all of it")]

use std::sync::Arc;

use micro_conformance::nats_server::NatsServer;
use micro_core::{DialOptions, ListenOptions, Listener, Message, PluginConfig, Socket, Transport};
use nats_common::Connection;
use transport_nats::NatsTransport;

pub async fn connection(server: &NatsServer) -> Arc<Connection> {
    let config = PluginConfig::default().with_addresses(&server.url());
    Connection::open(&config).await.unwrap()
}

pub async fn transport(server: &NatsServer) -> NatsTransport {
    NatsTransport::new(connection(server).await)
}

pub async fn listen(transport: &NatsTransport) -> Listener {
    transport.listen(ListenOptions::default()).await.unwrap()
}

/// Dials as whoever found the listener in a registry does, and says hello.
pub async fn dial(transport: &NatsTransport, listener: &Listener) -> Socket {
    let peer = DialOptions::default().with_peer(listener.metadata().clone());
    let mut near = transport.dial(listener.address(), peer).await.unwrap();
    near.send(Message::new("hello")).await.unwrap();
    near
}

pub async fn accept(listener: &mut Listener) -> Socket {
    let mut far = listener.accept().await.unwrap();
    assert_eq!(far.recv().await.unwrap().unwrap().body, "hello");
    far
}

/// A process that can be killed: a runtime whose sockets say nothing when it ends.
pub struct Process(Option<tokio::runtime::Runtime>);

impl Process {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        Process(Some(runtime))
    }

    pub async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        self.0.as_ref().unwrap().spawn(work).await.unwrap()
    }

    /// What `kept` would say when it is dropped is not said.
    pub fn kill<T>(mut self, kept: T) {
        std::mem::forget(kept);
        self.0.take().unwrap().shutdown_background();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
