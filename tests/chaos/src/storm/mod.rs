//! Faults of all kinds, by seed, under calls of all kinds: every call ends by an answer or an error, in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use fastrand::Rng;
use nats_testing::NatsCluster;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::instance::Handled;
use crate::process;

mod caller;
mod clock;
mod link;
mod load;
mod places;
mod servers;
mod tally;
mod weather;

use caller::Stack;
use clock::Clock;
use link::Link;
use load::Caller;
use places::Places;
use servers::Servers;
use tally::Tally;

const SERVERS: usize = 3;
const INSTANCES: usize = 3;

/// A server that leaves disconnects its clients after a second, one after the other; it takes no shorter time for all.
const LAME_DUCK: &str = "lame_duck_duration: \"30s\"\nlame_duck_grace_period: \"1s\"";

/// How long the callers call before memory is looked at, and before the first fault.
const CALM: Duration = Duration::from_secs(5);

/// How long it may take until every instance is found and answers again after the last fault.
const HEALED: Duration = Duration::from_secs(30);

/// By how much memory may grow, in MiB.
const GROWTH: f64 = 24.0;

/// Which faults, and for how long.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What decides about the faults and the calls.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// For how long.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// How many callers call at once.
    #[arg(long, default_value_t = 200)]
    callers: usize,
}

/// Answers whether every call ended in time, and nothing was left.
pub(crate) async fn run(args: &Args) -> Result<bool> {
    let (servers, places) = stage().await?;
    let stack = Stack::open(&servers.victim.url()).await?;
    let clock = Clock::start();
    let mut rng = Rng::with_seed(args.seed);
    let crowd = Crowd::start(args.callers, &stack, &mut rng);
    sleep(CALM).await;
    let before = (process::memory("self")?, places.memory()?);
    let until = Instant::now() + Duration::from_secs_f64(args.minutes * 60.0).saturating_sub(CALM);
    let (servers, places) = tokio::try_join!(
        weather::rage(servers, rng.fork(), until),
        weather::rage(places, rng.fork(), until)
    )?;
    stack.answered_by(INSTANCES, HEALED).await?;
    let tally = crowd.leave().await?;
    let hangs = tally.judge(&clock);
    let left = stack.entries_left().await as u64;
    let after = (process::memory("self")?, places.memory()?);
    let left = left + unfinished(&places.stop().await?);
    drop(servers);
    println!(
        "seed {}, {} minutes, {} calls",
        args.seed,
        args.minutes,
        tally.calls()
    );
    Ok(judge(hangs, left, before, after))
}

/// The servers, and the instances, each with a way of its own to each server.
async fn stage() -> Result<(Servers, Places)> {
    // Clients that were told of the servers would go around the proxies.
    let cluster = NatsCluster::builder(SERVERS)
        .config(LAME_DUCK)
        .unadvertised()
        .start()
        .await;
    let victim = Arc::new(Link::new(&cluster, 0).await?);
    let mut links = Vec::new();
    for number in 0..INSTANCES {
        links.push(Link::new(&cluster, number).await?);
    }
    let places = Places::start(links, victim.clone()).await?;
    Ok((Servers { cluster, victim }, places))
}

/// Memory is that of the callers and that of an instance, in MiB.
fn judge(hangs: u64, left: u64, before: (f64, f64), after: (f64, f64)) -> bool {
    println!("memory of an instance {:.1} to {:.1} MiB", before.1, after.1);
    println!(
        "hangs {hangs}, entries left {left}, memory {:.1} to {:.1} MiB",
        before.0, after.0
    );
    let grown = (after.0 - before.0).max(after.1 - before.1);
    hangs == 0 && left == 0 && grown <= GROWTH
}

/// Callers at work.
struct Crowd {
    callers: JoinSet<()>,
    tally: Arc<Tally>,
    stopped: Arc<AtomicBool>,
}

impl Crowd {
    fn start(callers: usize, stack: &Stack, rng: &mut Rng) -> Self {
        let mut crowd = Crowd {
            callers: JoinSet::new(),
            tally: Arc::default(),
            stopped: Arc::default(),
        };
        for _ in 0..callers {
            let caller = Caller {
                stack: stack.clone(),
                tally: crowd.tally.clone(),
                stopped: crowd.stopped.clone(),
                rng: rng.fork(),
            };
            crowd.callers.spawn(caller.run());
        }
        crowd
    }

    async fn leave(mut self) -> Result<Arc<Tally>> {
        self.stopped.store(true, Ordering::Relaxed);
        while let Some(ended) = self.callers.join_next().await {
            ended?;
        }
        Ok(self.tally)
    }
}

/// Requests that ran on in the instances though nobody waited for them any more.
fn unfinished(handled: &[Handled]) -> u64 {
    handled.iter().map(|handled| handled.running + handled.cut).sum()
}
