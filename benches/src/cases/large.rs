//! A large body, there and back, beside raw async-nats that publishes the same bytes in pieces.
//!
//! On both sides the body is whole before it is sent back, as a handler has it. The peer's best set-up: it keeps the
//! pieces as they came and never copies them together, and has one connection for both ends or one each.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use async_nats::{Client, Subject, Subscriber};
use bytes::Bytes;
use futures::StreamExt;
use micro_core::Client as OurClient;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::{Case, NotRun, own_subject};
use crate::calls::Way;
use crate::load::{Callers, Setup};
use crate::rounds::Contest;
use crate::stack::{self, Backends, ECHO_BYTES, Service};

const MIB: usize = 1 << 20;

/// The size of the body.
const BODY: usize = 64 * MIB;

/// The size of the peer's pieces, of which the server takes up to 1 MiB.
const PIECE: usize = MIB / 2;

/// How long one call may take.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn cases() -> Vec<Case> {
    let title = "64 MiB body, there and back, on NATS";
    let peer = "async-nats publishing the same bytes in pieces of 512 KiB";
    let case = Case::new("large_vs_raw", title, peer, open);
    vec![case.unit("MiB/s").reaching(0.8)]
}

async fn open(url: String, _: usize) -> Result<Contest> {
    let mut ours = Vec::new();
    for way in Way::nats(&url, Backends::nats).await? {
        ours.push(our_setup(way).await?);
    }
    Ok(Contest {
        ours,
        peer: peer(&url).await?,
    })
}

/// Each call moves the body twice.
fn setup<F, Fut>(name: &str, call: F, keep: impl std::any::Any + Send + Sync) -> Setup
where
    F: Fn(u64) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    let callers = Callers::new(1, call).each_worth(2 * BODY / MIB);
    Setup::new(name, callers, keep)
}

async fn our_setup(way: Way) -> Result<Setup> {
    let service = Service::start(&way.service).await?;
    if let Some(limit) = service.max_message_size().filter(|limit| *limit < BODY) {
        return Err(NotRun(format!("not supported yet: a message has {limit} bytes at most")).into());
    }
    let (client, name, body) = (stack::client(&way.caller)?, service.name, body());
    let call = move |_| carry(client.clone(), name, body.clone());
    Ok(setup(way.name, call, service))
}

async fn carry(client: OurClient, service: &'static str, body: Bytes) -> Result<()> {
    let answer: Bytes = client.unary(service, ECHO_BYTES, body).timeout(LIMIT).await?;
    check([answer])
}

async fn peer(url: &str) -> Result<Vec<Setup>> {
    let one = async_nats::connect(url).await?;
    let (here, there) = (async_nats::connect(url).await?, async_nats::connect(url).await?);
    Ok(vec![
        peer_setup("1 connection", one.clone(), one).await?,
        peer_setup("2 connections", here, there).await?,
    ])
}

async fn peer_setup(name: &str, caller: Client, echo: Client) -> Result<Setup> {
    let subject = own_subject();
    let (there, back) = (
        Subject::from(format!("{subject}.there")),
        Subject::from(format!("{subject}.back")),
    );
    let requests = echo.subscribe(there.clone()).await?;
    let answers = caller.subscribe(back.clone()).await?;
    // The server has a subscription when it has answered something that came after.
    for client in [&echo, &caller] {
        client.request("bench.nobody", Bytes::new()).await.err();
    }
    let mut echoing = JoinSet::new();
    echoing.spawn(echo_all(echo, requests, back));
    let (answers, body) = (Arc::new(Mutex::new(answers)), body());
    let call = move |_| trip(caller.clone(), there.clone(), answers.clone(), body.clone());
    Ok(setup(name, call, echoing))
}

async fn trip(client: Client, there: Subject, answers: Arc<Mutex<Subscriber>>, body: Bytes) -> Result<()> {
    let mut answers = answers.lock().await;
    let pieces = (0..BODY).step_by(PIECE).map(|at| body.slice(at..at + PIECE));
    send(&client, &there, pieces).await?;
    check(receive(&mut answers).await?)
}

async fn echo_all(client: Client, mut requests: Subscriber, back: Subject) -> Result<()> {
    loop {
        let pieces = receive(&mut requests).await?;
        send(&client, &back, pieces).await?;
    }
}

async fn send(client: &Client, subject: &Subject, pieces: impl IntoIterator<Item = Bytes>) -> Result<()> {
    for piece in pieces {
        client.publish(subject.clone(), piece).await?;
    }
    Ok(())
}

/// Pieces until they make a body.
async fn receive(messages: &mut Subscriber) -> Result<Vec<Bytes>> {
    let mut pieces = Vec::with_capacity(BODY / PIECE);
    let mut size = 0;
    while size < BODY {
        let message = messages.next().await.context("the subscription has ended")?;
        size += message.payload.len();
        pieces.push(message.payload);
    }
    Ok(pieces)
}

/// Each half KiB begins with its number, so that what was lost, or changed places, is noticed.
fn body() -> Bytes {
    let mut body = vec![b'.'; BODY];
    for (number, block) in (0_u64..).zip(body.chunks_mut(512)) {
        block[..8].copy_from_slice(&number.to_be_bytes());
    }
    body.into()
}

fn check(pieces: impl IntoIterator<Item = Bytes>) -> Result<()> {
    let mut next = 0_u64;
    for piece in pieces {
        for block in piece.chunks(512) {
            ensure!(block.starts_with(&next.to_be_bytes()), "block {next} is wrong");
            next += 1;
        }
    }
    ensure!(next == BODY as u64 / 512, "{next} blocks came");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_or_misplaced_piece_is_noticed() {
        let body = body();
        assert!(check([body.clone()]).is_ok());
        assert!(check([body.slice(..BODY - PIECE)]).is_err());
        assert!(check([body.slice(PIECE..), body.slice(..PIECE)]).is_err());
    }
}
