//! What calls cost, and what they leave behind in memory: counted for the whole process, so it is one of its own, and
//! runs one test at a time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and tells what it measured"
)]

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use micro_core::{Client, Code, Json};

mod cost;
mod items;
mod observing;
mod stage;
#[allow(dead_code, reason = "other tests need more of it")]
#[path = "../worlds/mod.rs"]
mod worlds;

use stage::Stage;
use worlds::{MemoryWorld, NatsWorld};

/// How many calls wait at once.
const AT_ONCE: usize = 1_000;

/// How often calls are made before it is believed that each of them leaves something behind.
const ROUNDS: usize = 6;

/// How much more may be in use after a round than before. An entry for each of 10,000 calls, such as the requests of
/// the NATS client leave, would be 4 MiB.
const SLACK: usize = 1 << 20;

/// How long a measurement may take. It bounds a failure.
const LIMIT: Duration = Duration::from_secs(600);

/// How many bytes of memory the process has in use.
fn in_use() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = pages.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

impl Stage {
    /// Makes that many calls, several times over, until they add nothing to what is in use.
    ///
    /// What each call left behind would add up in every round; what an allocator keeps for the next does not.
    async fn measure(&self, what: &str, calls: usize, call: impl AsyncFn(&Client)) {
        let mut before = usize::MAX;
        for _ in 0..ROUNDS {
            let round = futures::stream::iter(0..calls).map(|_| call(&self.client));
            round.buffer_unordered(AT_ONCE).for_each(async |()| ()).await;
            self.until_idle().await;
            let after = in_use();
            println!("{what}: {calls} calls, and {} KiB are in use", after >> 10);
            if after < before.saturating_add(SLACK) && before < usize::MAX {
                let answer = self.client.unary("test", "Test.Double", Json(21_u64)).await;
                return assert_eq!(answer, Ok(Json(42_u64)));
            }
            before = after;
        }
        panic!("{what}: each of {ROUNDS} rounds of {calls} calls added more than {SLACK} bytes");
    }
}

/// A call that nobody answers in time.
async fn timed_out(client: &Client) {
    let call = client.unary::<_, Json<u64>>("test", "Test.Never", Json(1_u64));
    let status = call.timeout(Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
}

/// A stream that is read in part, and dropped.
async fn dropped(client: &Client) {
    let call = client.server_stream::<_, Json<u64>>("test", "Test.Count", Json(20_u64));
    let mut numbers = call.await.unwrap();
    assert_eq!(numbers.next().await, Some(Ok(Json(0))));
}

/// Held by the measurement that runs.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs one measurement, alone, on a runtime of its own.
fn run(measurement: impl Future<Output = ()>) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let ended = runtime.block_on(async { tokio::time::timeout(LIMIT, measurement).await });
    assert!(ended.is_ok(), "it did not end within {LIMIT:?}");
}

async fn on_memory(what: &str, calls: usize, call: impl AsyncFn(&Client)) {
    let stage = Stage::open(&MemoryWorld::new()).await;
    stage.measure(&format!("{what}, memory"), calls, call).await;
}

async fn on_nats(what: &str, calls: usize, call: impl AsyncFn(&Client)) {
    let world = NatsWorld::start().await;
    let stage = Stage::open(&world).await;
    stage.measure(&format!("{what}, NATS"), calls, call).await;
}

#[test]
fn timed_out_calls_leave_nothing_in_memory() {
    run(on_memory("timed out", 10_000, timed_out));
}

#[test]
fn timed_out_calls_leave_nothing_in_memory_on_nats() {
    run(on_nats("timed out", 10_000, timed_out));
}

#[test]
#[ignore = "takes minutes where the build is not optimised: cargo test --release --test footprint -- --ignored"]
fn two_hundred_thousand_timed_out_calls_leave_nothing_in_memory() {
    run(on_memory("timed out", 200_000, timed_out));
}

#[test]
#[ignore = "takes minutes where the build is not optimised: cargo test --release --test footprint -- --ignored"]
fn two_hundred_thousand_timed_out_calls_leave_nothing_in_memory_on_nats() {
    run(on_nats("timed out", 200_000, timed_out));
}

#[test]
fn dropped_streams_leave_nothing_in_memory() {
    run(on_memory("dropped streams", 2_000, dropped));
}

#[test]
fn dropped_streams_leave_nothing_in_memory_on_nats() {
    run(on_nats("dropped streams", 2_000, dropped));
}
