//! What one item of a stream costs, counted and not timed.

use std::sync::PoisonError;

use allocation_counter::measure;
use micro_core::{Client, Json};

use crate::stage::Stage;
use crate::worlds::MemoryWorld;
use crate::{ALONE, LIMIT};

/// What an item may allocate: its share of what is made for many, which are the fewer the slower the machine is.
const CEILING: f64 = 0.5;

async fn read(client: &Client, items: u64) {
    let call = client.server_stream::<_, Json<u64>>("test", "Test.Count", Json(items));
    let mut numbers = call.await.unwrap();
    let mut last = 0;
    while let Some(number) = numbers.next().await {
        let Json(number) = number.unwrap();
        last = number + 1;
    }
    assert_eq!(last, items);
}

/// Neither end allocates anything for an item alone: it is written into a pack, and read out of it.
#[test]
fn a_small_item_of_a_stream_allocates_nothing() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // In one thread, since allocations are counted by thread.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let stage = runtime.block_on(Stage::open(&MemoryWorld::new()));
    let counted = |items: u64| {
        let stream = async { tokio::time::timeout(LIMIT, read(&stage.client, items)).await };
        measure(|| runtime.block_on(stream).unwrap()).count_total as f64
    };
    counted(1_000);
    // What a stream costs as a whole is in both.
    let (few, many) = (counted(1_000), counted(11_000));
    let each = (many - few) / 10_000.0;
    println!("memory: {each:.3} allocations per item");
    assert!(each <= CEILING, "{each} allocations");
}
