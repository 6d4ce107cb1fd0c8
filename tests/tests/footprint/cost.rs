//! What one unary call costs, counted and not timed: allocations, and bytes on the wire.
//!
//! The ceilings are what it was counted to cost when they were written, and a little more. Raise one only for a reason.

use std::sync::PoisonError;

use allocation_counter::measure;
use micro_core::{Client, Json, Metadata};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::stage::Stage;
use crate::worlds::{MemoryWorld, NatsWorld};
use crate::{ALONE, LIMIT};

const CALLERS: u64 = 64;

const CALLS_EACH: u64 = 50;

const CALLS: u64 = CALLERS * CALLS_EACH;

/// What a call may cost.
struct Ceiling {
    /// Of both ends together, the encoding of a number among them.
    allocations: u64,
    /// Of the bodies of NATS messages, both ways.
    wire: u64,
}

impl Ceiling {
    fn check(&self, what: &str, allocations: u64, wire: u64) {
        let (allocations, wire) = (allocations as f64 / CALLS as f64, wire as f64 / CALLS as f64);
        println!("{what}: {allocations:.1} allocations and {wire:.1} bytes on the wire per call");
        assert!(
            allocations <= self.allocations as f64,
            "{what}: {allocations} allocations"
        );
        assert!(wire <= self.wire as f64, "{what}: {wire} bytes on the wire");
    }
}

/// Everything runs in one thread, since allocations are counted by thread.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Many calls at once, so that batches form.
async fn calls(client: &Client) {
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let client = client.clone();
        callers.spawn(async move {
            for call in 0..CALLS_EACH {
                let number = caller * CALLS_EACH + call;
                let answer = client.unary("test", "Test.Double", Json(number)).await;
                assert_eq!(answer, Ok(Json(2 * number)));
            }
        });
    }
    let all = tokio::time::timeout(LIMIT, callers.join_all()).await;
    assert!(all.is_ok(), "the calls did not end within {LIMIT:?}");
}

/// How often calls are counted.
const COUNTS: u64 = 3;

/// How many allocations the calls make. What only the first calls need is not counted; and of several counts the least is
/// true: where the machine is busy with other things, what comes together otherwise comes in more parts.
fn allocations(runtime: &Runtime, client: &Client) -> u64 {
    runtime.block_on(calls(client));
    let count = |_| measure(|| runtime.block_on(calls(client))).count_total;
    (0..COUNTS).map(count).min().unwrap_or_default()
}

fn on_nats(what: &str, metadata: fn(&Metadata) -> Metadata, ceiling: &Ceiling) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = runtime();
    let world = runtime.block_on(NatsWorld::start());
    let stage = runtime.block_on(Stage::said(&world, metadata));
    let before = runtime.block_on(received(&world));
    let allocations = allocations(&runtime, &stage.client);
    let wire = runtime.block_on(received(&world)) - before;
    // The calls were made once more, to warm up.
    ceiling.check(what, allocations, wire / (COUNTS + 1));
}

/// How many bytes of messages the nats-server has got.
async fn received(world: &NatsWorld) -> u64 {
    world.server.lock().await.monitor("/varz").await["in_bytes"]
        .as_u64()
        .unwrap()
}

#[test]
fn a_call_on_memory_costs_few_allocations() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = runtime();
    let stage = runtime.block_on(Stage::open(&MemoryWorld::new()));
    let ceiling = Ceiling {
        allocations: 7,
        wire: 0,
    };
    ceiling.check("memory", allocations(&runtime, &stage.client), 0);
}

#[test]
fn a_call_on_nats_costs_few_allocations_and_bytes() {
    let ceiling = Ceiling {
        allocations: 8,
        wire: 60,
    };
    on_nats("NATS, native", Clone::clone, &ceiling);
}

/// Of a server of which nothing is known it is believed that it is go-micro's, and everything is said as it needs it.
#[test]
fn a_call_to_a_go_micro_server_costs_few_allocations_and_bytes() {
    let ceiling = Ceiling {
        allocations: 17,
        wire: 335,
    };
    on_nats("NATS, go-micro's", |_| Metadata::new(), &ceiling);
}
