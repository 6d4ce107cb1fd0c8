//! Restarts the instances of a service in turn, under load, and counts what was lost.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use nats_testing::NatsServer;
use tokio::task::JoinSet;

use crate::instance::KEEPS;
use crate::interface;
use crate::process::Instance;

mod ledger;
mod load;

use ledger::Ledger;
use load::Load;

/// How often, and under what load.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many calls are made at least.
    #[arg(long, default_value_t = 1_000_000)]
    calls: u64,
    /// How many times an instance is restarted.
    #[arg(long, default_value_t = 100)]
    restarts: u64,
    /// How many instances there are.
    #[arg(long, default_value_t = 3)]
    instances: usize,
    /// How many callers call at once.
    #[arg(long, default_value_t = 64)]
    callers: u64,
}

/// Answers whether nothing was lost.
pub(crate) async fn run(args: &Args) -> Result<bool> {
    let server = NatsServer::start().await;
    let mut instances = VecDeque::new();
    for _ in 0..args.instances.max(2) {
        instances.push_back(Instance::start(&server.url(), &[KEEPS]).await?);
    }
    let begun = Instant::now();
    let backends = interface::caller(&server.url()).await?;
    let load = Arc::new(Load::default());
    let mut callers = JoinSet::new();
    for _ in 0..args.callers {
        callers.spawn(load.clone().call(backends.clone()));
    }
    for _ in 0..args.callers.div_ceil(16) {
        callers.spawn(load.clone().stream(backends.clone()));
    }
    let mut ledger = Ledger::default();
    let longest = restart_in_turn(args, &server.url(), &load, &mut instances, &mut ledger).await?;
    load.stop();
    while let Some(ended) = callers.join_next().await {
        ended?;
    }
    backends.broker().flush().await?;
    for instance in instances {
        ledger.enter(instance.stop().await?);
    }
    let verdict = ledger.judge(&load);
    println!(
        "{} restarts of {} instances in {:.0?}, the longest stop {longest:.1?}\n{verdict}",
        args.restarts,
        args.instances.max(2),
        begun.elapsed()
    );
    Ok(verdict.is_good())
}

/// Spreads the restarts evenly over the calls. How long the longest stop took.
async fn restart_in_turn(
    args: &Args,
    servers: &str,
    load: &Load,
    instances: &mut VecDeque<Instance>,
    ledger: &mut Ledger,
) -> Result<Duration> {
    let mut longest = Duration::ZERO;
    for restart in 0..args.restarts {
        load.called(args.calls * restart / args.restarts.max(1)).await;
        let stopping = Instant::now();
        if let Some(instance) = instances.pop_front() {
            ledger.enter(instance.stop().await?);
        }
        longest = longest.max(stopping.elapsed());
        instances.push_back(Instance::start(servers, &[KEEPS]).await?);
        if (restart + 1) % 10 == 0 {
            eprintln!("{} restarts: {load}", restart + 1);
        }
    }
    load.called(args.calls).await;
    Ok(longest)
}
