//! One slow member of a queue group: what it costs the group, while it stays when it is full, and while it pauses.

use std::time::{Duration, Instant};

use anyhow::Result;
use micro::Json;
use nats_testing::NatsServer;
use tokio::time::{MissedTickBehavior, interval};

use crate::instance::{Handled, KEEPS};
use crate::interface::{self, EVENTS};
use crate::process::Instance;

/// How often events are published, as many as are due.
const STEP: Duration = Duration::from_millis(2);

/// How many, how fast, and for how long.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many members there are, of which one is slow.
    #[arg(long, default_value_t = 3)]
    instances: usize,
    /// How long the slow one takes for an event, in milliseconds.
    #[arg(long, default_value_t = 10)]
    work: u64,
    /// How many events are published a second.
    #[arg(long, default_value_t = 3000.0)]
    rate: f64,
    /// For how long, in seconds.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
}

/// Answers whether nothing was lost while it paused, and something was while it stayed.
pub(crate) async fn run(args: &Args) -> Result<bool> {
    let stays = outcome(args, false).await?;
    println!("stays when it is full:  {stays}");
    let pauses = outcome(args, true).await?;
    println!("pauses when it is full: {pauses}");
    println!("{} lost of {}", pauses.lost(), pauses.published);
    Ok(stays.lost() > 0 && pauses.lost() == 0 && stays.twice + pauses.twice == 0)
}

/// What became of the events.
struct Outcome {
    published: u64,
    handled: u64,
    twice: u64,
    by_the_slow: usize,
    told: u64,
    pauses: u64,
    seconds: f64,
}

async fn outcome(args: &Args, pauses: bool) -> Result<Outcome> {
    let server = NatsServer::start().await;
    let work = (args.work * 1000).to_string();
    let mut slow_args = vec![KEEPS, "--event-work", &work];
    slow_args.extend(pauses.then_some("--pauses"));
    let slow = Instance::start(&server.url(), &slow_args).await?;
    let mut others = Vec::new();
    for _ in 1..args.instances.max(2) {
        others.push(Instance::start(&server.url(), &[KEEPS]).await?);
    }
    let published = publish(args, &server.url()).await?;
    let slow = slow.stop().await?;
    let mut all = slow.events.clone();
    for other in others {
        all.extend(other.stop().await?.events);
    }
    Ok(Outcome::new(published, all, &slow, args.seconds))
}

/// At the rate, whatever becomes of those before; how many there were.
async fn publish(args: &Args, servers: &str) -> Result<u64> {
    let backends = interface::caller(servers).await?;
    let mut ticks = interval(STEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (begun, mut published) = (Instant::now(), 0_u64);
    while begun.elapsed().as_secs_f64() < args.seconds {
        ticks.tick().await;
        let due = (begun.elapsed().as_secs_f64().min(args.seconds) * args.rate) as u64;
        while published < due {
            backends.publish_to(EVENTS, &Json(published)).await?;
            published += 1;
        }
    }
    backends.broker().flush().await?;
    Ok(published)
}

impl Outcome {
    fn new(published: u64, mut all: Vec<u64>, slow: &Handled, seconds: f64) -> Self {
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        Outcome {
            published,
            handled: all.len() as u64,
            twice: (count - all.len()) as u64,
            by_the_slow: slow.events.len(),
            told: slow.lost,
            pauses: slow.pauses,
            seconds,
        }
    }

    fn lost(&self) -> u64 {
        self.published - self.handled
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.0} events a second handled of {:.0}, {} of them by the slow member, which paused {} times; {} lost, of which it \
             counted {}",
            self.handled as f64 / self.seconds,
            self.published as f64 / self.seconds,
            self.by_the_slow,
            self.pauses,
            self.lost(),
            self.told
        )
    }
}
