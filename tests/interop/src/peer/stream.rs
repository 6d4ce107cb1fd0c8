//! Streams that stay open from one command to the next.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use futures::stream;
use micro::{Json, Status, Streaming};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, timeout_at};

use super::Peer;
use super::body::{self, Failure};
use super::call::CallArgs;
use super::drive::Drive;
use super::heard::RecvResult;

/// How many messages wait to be sent.
const ROOM: usize = 16;

/// An open stream. Dropping it ends it.
pub(super) struct Conversation {
    outgoing: mpsc::Sender<Json<Value>>,
    incoming: Streaming<Json<Value>>,
}

#[derive(Deserialize)]
struct OpenArgs {
    stream: String,
    #[serde(flatten)]
    call: CallArgs,
}

#[derive(Deserialize)]
struct SendArgs {
    stream: String,
    bodies: Vec<Value>,
}

#[derive(Deserialize)]
struct RecvArgs {
    stream: String,
    count: usize,
    timeout_ms: u64,
}

#[derive(Deserialize)]
struct StreamArgs {
    stream: String,
}

pub(super) fn enter(drive: &mut Drive, peer: &Arc<Peer>) {
    let p = peer.clone();
    drive.on("open", move |args: OpenArgs| {
        let peer = p.clone();
        async move { peer.open(args).await }
    });
    let p = peer.clone();
    drive.on("send", move |args: SendArgs| {
        let peer = p.clone();
        async move { peer.say(args).await }
    });
    let p = peer.clone();
    drive.on("recv", move |args: RecvArgs| {
        let peer = p.clone();
        async move { peer.hear(args).await }
    });
    let p = peer.clone();
    drive.on("close", move |args: StreamArgs| {
        let closed = p.streams.take(&args.stream).map(drop);
        async move { closed }
    });
}

impl Peer {
    async fn open(&self, args: OpenArgs) -> Result<Option<Failure>> {
        let OpenArgs { stream: name, call } = args;
        let (outgoing, mut queue) = mpsc::channel(ROOM);
        let requests = stream::poll_fn(move |cx| queue.poll_recv(cx).map(|item| item.map(Ok::<_, Status>)));
        let opened = self
            .backends
            .client()
            .bidi_stream(call.service, call.endpoint, Streaming::new(requests))
            .context(&body::context(&call.metadata, call.timeout_ms))
            .await;
        match opened {
            Ok(incoming) => {
                let conversation = Conversation { outgoing, incoming };
                self.streams.put(&name, Arc::new(Mutex::new(conversation)));
                Ok(None)
            }
            Err(status) => Ok(body::failed(&status)),
        }
    }

    async fn say(&self, args: SendArgs) -> Result<Option<Failure>> {
        let conversation = self.streams.get(&args.stream)?;
        let outgoing = conversation.lock().await.outgoing.clone();
        for body in args.bodies {
            if outgoing.send(Json(body)).await.is_err() {
                return Ok(body::failed(&Status::cancelled("the stream has ended")));
            }
        }
        Ok(None)
    }

    /// Waits for that many messages, or the end.
    async fn hear(&self, args: RecvArgs) -> Result<RecvResult> {
        let conversation = self.streams.get(&args.stream)?;
        let mut conversation = conversation.lock().await;
        let limit = Instant::now() + Duration::from_millis(args.timeout_ms);
        let mut result = RecvResult::default();
        while result.bodies.len() < args.count {
            let Ok(next) = timeout_at(limit, conversation.incoming.next()).await else {
                bail!("{} of {} messages came in time", result.bodies.len(), args.count);
            };
            if !result.hears(next.map(|item| item.map(|Json(body)| body))) {
                break;
            }
        }
        Ok(result)
    }
}
