//! A queue group of three: every event goes to one of its members, and to every plain subscriber.
//!
//! ```text
//! cargo run --example pubsub
//! cargo run --example pubsub -- --broker=nats
//! ```

// This is a program: its output is its job.
#![allow(clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use micro::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::timeout;

const EVENTS: u32 = 300;
const WORKERS: [&str; 3] = ["worker-1", "worker-2", "worker-3"];
const AUDITOR: &str = "auditor";

#[derive(Serialize, Deserialize)]
struct Order {
    number: u32,
}

/// Who got which order.
type Receipt = (&'static str, u32);

#[tokio::main]
async fn main() -> Result<()> {
    micro_examples::log_from("warn");
    let (done, mut receipts) = mpsc::channel(64);
    let mut members = Vec::new();
    for worker in WORKERS {
        members.push(subscriber(worker, Some("workers"), done.clone()).await?);
    }
    members.push(subscriber(AUDITOR, None, done).await?);

    for number in 0..EVENTS {
        members[0].publish_to("orders", &Json(Order { number })).await?;
    }
    println!("published  {EVENTS} orders");

    let mut got: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for _ in 0..2 * EVENTS {
        let receipt = timeout(Duration::from_secs(10), receipts.recv()).await;
        let (member, number) = receipt
            .context("an order was lost")?
            .context("the members are gone")?;
        got.entry(member).or_default().push(number);
    }
    for member in members {
        member.shutdown().await?; // handles all that was delivered, so that nothing comes after
    }
    ensure!(receipts.recv().await.is_none(), "an order came twice");
    report(&got)
}

/// A service that handles orders: a share of them, as a member of the queue group, or all.
async fn subscriber(name: &'static str, queue: Option<&str>, done: mpsc::Sender<Receipt>) -> Result<Service> {
    let handler = move |_: Context, Json(order): Json<Order>| {
        let done = done.clone();
        async move {
            let sent = done.send((name, order.number)).await;
            sent.map_err(|_| Status::unavailable("nobody counts"))
        }
    };
    let service = Service::from_args("orders")?.metadata("member", name);
    let service = match queue {
        Some(queue) => service.subscribe_queue("orders", queue, handler),
        None => service.subscribe("orders", handler),
    };
    Ok(service.start().await?)
}

fn report(got: &BTreeMap<&str, Vec<u32>>) -> Result<()> {
    let numbers = |member: &str| got.get(member).map(Vec::as_slice).unwrap_or_default();
    for member in WORKERS {
        println!("{member}   handled {} of them", numbers(member).len());
    }
    println!("{AUDITOR}    saw {} of them", numbers(AUDITOR).len());
    let once = |orders: &[u32]| {
        let distinct: BTreeSet<_> = orders.iter().collect();
        distinct.len() == orders.len() && distinct.len() == EVENTS as usize
    };
    let shared: Vec<u32> = WORKERS
        .iter()
        .flat_map(|worker| numbers(worker))
        .copied()
        .collect();
    ensure!(
        once(&shared),
        "the workers did not handle each order exactly once"
    );
    ensure!(
        once(numbers(AUDITOR)),
        "the auditor did not see each order exactly once"
    );
    println!("all        each order was handled by one worker, exactly once, and seen by the auditor");
    Ok(())
}
