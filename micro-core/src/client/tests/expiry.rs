//! Deadlines where a socket or the registry says nothing, on a paused clock.

use std::fmt;
use std::pin::pin;

use async_trait::async_trait;
use futures::future::{join_all, select};
use futures::{SinkExt, future, sink, stream};
use tokio::time::Instant;
use tokio_util::sync::PollSender;

use super::*;
use crate::address::Address;
use crate::registry::{WatchOptions, Watcher};
use crate::transport::TransportCapabilities;
use crate::{DialOptions, Error, ErrorKind, Listener, Result, Socket};

const LIMIT: Duration = Duration::from_millis(100);

/// Makes sockets in its own way.
struct Dials(fn(&Address) -> Socket);

impl fmt::Debug for Dials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dials")
    }
}

#[async_trait]
impl Transport for Dials {
    fn name(&self) -> &'static str {
        "dials"
    }

    fn capabilities(&self) -> TransportCapabilities {
        TransportCapabilities::default()
    }

    async fn listen(&self, _: ListenOptions) -> Result<Listener> {
        Err(Error::new(ErrorKind::Unsupported, "nobody listens"))
    }

    async fn dial(&self, address: &Address, _: DialOptions) -> Result<Socket> {
        Ok(self.0(address))
    }
}

fn unavailable() -> Error {
    Error::new(ErrorKind::Unavailable, "it broke")
}

/// It cannot be written to, and nothing says why.
fn mute(address: &Address) -> Socket {
    let refuses = sink::unfold((), |(), _| future::ready(Err(unavailable())));
    Socket::new(address.clone(), address.clone(), refuses, stream::pending())
}

/// Takes what is sent, and says then that it reached nobody.
fn nobody(address: &Address) -> Socket {
    let takes = sink::drain().sink_map_err(|never| match never {});
    let says = stream::once(async { Err(unavailable().with_undelivered(9)) });
    Socket::new(address.clone(), address.clone(), takes, says)
}

/// Takes two messages, and then none.
fn full(address: &Address) -> Socket {
    let (takes, taken) = tokio::sync::mpsc::channel(2);
    let takes = PollSender::new(takes).sink_map_err(|_| unavailable());
    let says = stream::unfold(taken, |_| future::pending());
    Socket::new(address.clone(), address.clone(), takes, says)
}

/// A registry that answers the first question alone.
#[derive(Debug, Default)]
struct Silent(MemoryRegistry, AtomicUsize);

#[async_trait]
impl Registry for Silent {
    fn name(&self) -> &'static str {
        "silent"
    }

    async fn register(&self, service: &ServiceRecord, options: RegisterOptions) -> Result<()> {
        self.0.register(service, options).await
    }

    async fn deregister(&self, service: &ServiceRecord) -> Result<()> {
        self.0.deregister(service).await
    }

    async fn get(&self, name: &str) -> Result<Vec<ServiceRecord>> {
        match self.1.fetch_add(1, Ordering::Relaxed) {
            0 => self.0.get(name).await,
            _ => future::pending().await,
        }
    }

    async fn list(&self) -> Result<Vec<ServiceRecord>> {
        self.0.list().await
    }

    async fn watch(&self, options: WatchOptions) -> Result<Watcher> {
        self.0.watch(options).await
    }
}

async fn client(dials: fn(&Address) -> Socket, registry: impl Registry) -> Client {
    let record = ServiceRecord::new("test", "1").with_node(Node::new("n", "somewhere"));
    let options = RegisterOptions::default();
    registry.register(&record, options).await.unwrap();
    let client = Client::builder().transport(Arc::new(Dials(dials)));
    client.registry(Arc::new(registry)).build().unwrap()
}

async fn assert_in_time<T>(call: impl Future<Output = Result<T, Status>>) {
    let start = Instant::now();
    let ended = call.await;
    // A timer has steps of a millisecond.
    assert!(
        start.elapsed() <= LIMIT + Duration::from_millis(2),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(
        ended.err().map(|status| status.code()),
        Some(Code::DeadlineExceeded)
    );
}

async fn streamed(client: &Client) -> Result<(), Status> {
    let call = client.server_stream::<_, Json<u64>>("test", "Test.Count", Json(3_u64));
    call.timeout(LIMIT).await?.collect().await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn a_call_on_a_socket_that_broke_without_a_word_ends_by_its_deadline() {
    let client = client(mute, MemoryRegistry::new()).await;
    let call = client.unary::<_, Json<u64>>("test", "Test.Double", Json(1_u64));
    assert_in_time(async { call.timeout(LIMIT).await }).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_behind_others_on_a_full_socket_ends_by_its_deadline() {
    let client = client(full, MemoryRegistry::new()).await;
    let call = async |limit| {
        let call = client.unary::<_, Json<u64>>("test", "Test.Double", Json(1_u64));
        call.timeout(limit).await
    };
    let patient = async || drop(join_all([call(10 * LIMIT), call(10 * LIMIT)]).await);
    let hasty = async {
        tokio::time::sleep(LIMIT).await;
        assert_in_time(call(LIMIT)).await;
    };
    let others = async {
        let late = async {
            tokio::time::sleep(LIMIT / 2).await;
            patient().await;
        };
        future::join(patient(), late).await
    };
    select(pin!(hasty), pin!(others)).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_on_a_socket_that_broke_without_a_word_ends_by_its_deadline() {
    let client = client(mute, MemoryRegistry::new()).await;
    assert_in_time(streamed(&client)).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_looks_for_another_node_ends_by_its_deadline() {
    let client = client(nobody, Silent::default()).await;
    assert_in_time(streamed(&client)).await;
}
