//! A whole server, and callers that say anything.

#![allow(clippy::panic, reason = "a property that does not hold is told by a panic")]

use std::time::Duration;

use futures::{FutureExt, StreamExt};
use tokio::runtime::Builder;
use tokio::time::timeout;

use super::message;
use crate::codec::Json;
use crate::memory::MemoryTransport;
use crate::message::Message;
use crate::rpc::{Context, Status, Streaming};
use crate::server::{Router, Server, ServerOptions};
use crate::transport::{DialOptions, ListenOptions, Socket, Transport};

/// What stands between two messages, in a line of its own.
const BETWEEN: &[u8] = b"\n---\n";

/// A message that is none: this socket is dropped, and the next one is dialled.
const DROP: &[u8] = b"drop";

/// A message that is none: an answer is read, if there is one.
const READ: &[u8] = b"read";

/// How long what happens at once may take. It bounds a failure.
const LIMIT: Duration = Duration::from_secs(20);

/// Whatever is said to a server, in whatever order: it answers the next caller, and when the callers are gone it has
/// nothing to do any more.
pub fn servers(data: &[u8]) {
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    let ended = runtime.block_on(async { timeout(LIMIT, listens_to(data)).await });
    assert!(ended.is_ok(), "the server hangs");
}

async fn listens_to(data: &[u8]) {
    let transport = MemoryTransport::new();
    let Ok(listener) = transport.listen(ListenOptions::default()).await else {
        panic!("nobody else listens here");
    };
    let options = ServerOptions::default()
        .with_max_concurrent_requests(16)
        .with_stream_capacity(2);
    let server = Server::serve(listener, router(), options);
    let mut socket = dial(&transport, &server).await;
    for part in parts(data) {
        match part {
            DROP => socket = dial(&transport, &server).await,
            READ => drop(socket.recv().now_or_never()),
            said => say(&mut socket, message(said)).await,
        }
    }
    drop(socket);
    // Handlers that never end by themselves end with their callers.
    while server.in_flight() > 0 {
        tokio::task::yield_now().await;
    }
    let answer = ask(&mut dial(&transport, &server).await).await;
    assert_eq!(answer.body.trim_ascii(), b"42", "{answer:?}");
}

/// The server may have ended the socket, or take nothing more before its answers are read.
async fn say(socket: &mut Socket, message: Message) {
    // So that it works between two messages now and then.
    tokio::task::yield_now().await;
    drop(socket.send(message).now_or_never());
}

/// A good call, on a socket of its own.
async fn ask(socket: &mut Socket) -> Message {
    let request = Message::new("21")
        .with_header("Content-Type", "application/json")
        .with_header("Micro-Service", "test")
        .with_header("Micro-Endpoint", "Test.Double")
        .with_header("Micro-ID", "7");
    if let Err(error) = socket.send(request).await {
        panic!("the next caller is not heard: {error}");
    }
    match socket.recv().await {
        Some(Ok(answer)) => answer,
        other => panic!("the next caller gets no answer: {other:?}"),
    }
}

async fn dial(transport: &MemoryTransport, server: &Server) -> Socket {
    match transport.dial(server.address(), DialOptions::default()).await {
        Ok(socket) => socket,
        Err(error) => panic!("the server has left: {error}"),
    }
}

fn parts(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(data);
    std::iter::from_fn(move || {
        let now = rest?;
        let end = now.windows(BETWEEN.len()).position(|part| part == BETWEEN);
        rest = end.map(|end| &now[end + BETWEEN.len()..]);
        Some(&now[..end.unwrap_or(now.len())])
    })
}

/// One of each kind, and one of each that ends with its caller alone.
fn router() -> Router {
    Router::new()
        .unary("Test.Double", async |_: Context, Json(number): Json<u64>| {
            Ok(Json(number.wrapping_mul(2)))
        })
        .unary("Test.Wait", async |_: Context, Json(()): Json<()>| never().await)
        .server_stream("Test.Count", async |_: Context, Json(to): Json<u64>| {
            let numbers = futures::stream::iter(0..to.min(20));
            Ok(Streaming::new(numbers.map(|number| Ok(Json(number)))))
        })
        .client_stream("Test.Sum", async |_: Context, numbers: Streaming<Json<u64>>| {
            let sum = |sum: u64, number: Result<Json<u64>, Status>| async move {
                sum.wrapping_add(number.map_or(0, |Json(n)| n))
            };
            Ok(Json(numbers.fold(0, sum).await))
        })
        .client_stream(
            "Test.Unread",
            async |_: Context, _unread: Streaming<Json<u64>>| never().await,
        )
        .bidi_stream("Test.Echo", async |_: Context, numbers: Streaming<Json<u64>>| {
            Ok(numbers)
        })
}

async fn never() -> Result<Json<()>, Status> {
    std::future::pending().await
}
