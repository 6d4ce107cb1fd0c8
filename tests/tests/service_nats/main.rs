//! What services on NATS do beyond the suites: chosen by flags, over lost servers, with bad credentials and bad input.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells what it measured"
)]

use std::time::{Duration, Instant};

use micro::{BackendFlags, Backends, Service, ServiceBuilder};
use micro_conformance::nats_server::NatsServer;
use micro_core::{Client, Context, Json, Router, Status};
use tokio::sync::mpsc;
use tokio::time::timeout;

mod connections;
mod headerless;
mod health;
mod hostile;
mod lost;
mod pausing;
mod refused;
mod secured;
#[cfg(unix)]
mod signalled;

/// A failure bound: nothing waits for it.
const LIMIT: Duration = Duration::from_secs(25);

/// How long it may take to learn that something is gone. A failure bound: it takes milliseconds.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A service as the command line makes it, with all three backends at these servers.
fn service(name: &str, servers: &str) -> ServiceBuilder {
    service_with(name, servers, servers)
}

/// The same, with a transport of its own.
fn service_with(name: &str, servers: &str, transport: &str) -> ServiceBuilder {
    let backends = [
        ("transport", transport),
        ("broker", servers),
        ("registry", servers),
    ];
    let flags =
        backends.map(|(kind, servers)| [format!("--{kind}=nats"), format!("--{kind}-address={servers}")]);
    let arguments = std::iter::once("service".to_owned()).chain(flags.into_iter().flatten());
    Service::try_from_args(name, arguments).unwrap().serve(doubling())
}

fn doubling() -> Router {
    Router::new().unary("Test.Double", |_: Context, Json(number): Json<u64>| async move {
        Ok(Json(number * 2))
    })
}

/// Another process: those of one process share a connection by their servers, which are told apart as they are written.
fn elsewhere(server: &NatsServer) -> String {
    server.address().replace("127.0.0.1", "localhost")
}

async fn caller(servers: &str) -> Backends {
    caller_with(servers, servers).await
}

/// The same, with a transport of its own.
async fn caller_with(servers: &str, transport: &str) -> Backends {
    let mut flags = BackendFlags::default();
    for (plugin, address) in [
        (&mut flags.transport, &mut flags.transport_address),
        (&mut flags.broker, &mut flags.broker_address),
        (&mut flags.registry, &mut flags.registry_address),
    ] {
        (*plugin, *address) = (Some("nats".to_owned()), Some(servers.into()));
    }
    flags.transport_address = Some(transport.into());
    Backends::from_flags("caller", flags).await.unwrap()
}

async fn double(client: &Client, number: u64) -> Result<u64, Status> {
    let call = client.unary("test", "Test.Double", Json(number)).timeout(LIMIT);
    call.await.map(|Json(answer)| answer)
}

/// Calls until one succeeds; how long that took.
async fn until_answered(client: &Client) -> Duration {
    let start = Instant::now();
    let answered = async {
        while double(client, 21).await != Ok(42) {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, answered).await.expect("an answer");
    start.elapsed()
}

async fn nothing(_: Context, _: Json<u64>) -> Result<(), Status> {
    Ok(())
}

/// A service that tells which events it heard.
async fn hearing(servers: &str) -> (Service, mpsc::Receiver<u64>) {
    let (sender, heard) = mpsc::channel(1024);
    let handler = move |_: Context, Json(number): Json<u64>| {
        let sender = sender.clone();
        async move {
            sender
                .send(number)
                .await
                .map_err(|_| Status::internal("the test has ended"))
        }
    };
    (
        service("test", servers)
            .subscribe("numbers", handler)
            .start()
            .await
            .unwrap(),
        heard,
    )
}

/// Publishes until an event is heard.
async fn until_heard(publisher: &Backends, heard: &mut mpsc::Receiver<u64>) {
    let hearing = async {
        loop {
            // While the connection is away, publishing fails: that is not what is tried here.
            publisher.publish_to("numbers", &Json(1_u64)).await.ok();
            if timeout(Duration::from_millis(50), heard.recv()).await.is_ok() {
                return;
            }
        }
    };
    timeout(LIMIT, hearing).await.expect("an event");
}
