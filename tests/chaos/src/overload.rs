//! Ten times the load that a service can carry: what it still does, what it costs, and what becomes of the rest.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use micro::{Client, Code};
use nats_testing::NatsServer;
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::interface::{self, Task, WorkClient};
use crate::process::Instance;

/// How long a caller waits at most.
const DEADLINE: Duration = Duration::from_secs(5);

/// How often calls are begun, as many as are due.
const STEP: Duration = Duration::from_millis(2);

/// By how much the memory of an instance may grow, in MiB.
const GROWTH: f64 = 24.0;

/// Which share of its best a service still does.
const KEPT: f64 = 0.9;

/// How much longer accepted calls may take than at the best load, at their 99th percentile.
const SLOWER: f64 = 3.0;

/// How much, and for how long.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many instances there are.
    #[arg(long, default_value_t = 2)]
    instances: usize,
    /// How many requests each instance runs at once.
    #[arg(long, default_value_t = 16)]
    limit: usize,
    /// How long the work takes, in milliseconds.
    #[arg(long, default_value_t = 50)]
    work: u64,
    /// How many times the load that it can carry.
    #[arg(long, default_value_t = 10.0)]
    times: f64,
    /// For how long each of the two loads is made, in seconds.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
}

/// Answers whether the service kept what it should.
pub(crate) async fn run(args: &Args) -> Result<bool> {
    let server = NatsServer::start().await;
    let limit = args.limit.to_string();
    let mut instances = Vec::new();
    for _ in 0..args.instances.max(1) {
        instances.push(Instance::start(&server.url(), &["--limit", &limit]).await?);
    }
    let backends = interface::caller(&server.url()).await?;
    let load = Load {
        client: backends.client().clone(),
        task: Task {
            pause: args.work * 1000,
            ..Task::new(0)
        },
        took: Arc::default(),
    };
    let span = Duration::from_secs_f64(args.seconds);
    let best = load.by_callers(args.instances.max(1) * args.limit, span).await?;
    best.print("best", span);
    let before = memory(&instances)?;
    let rate = best.rate(Code::Ok, span) * args.times;
    let most = load.at_rate(rate, span).await?;
    most.print(&format!("{rate:.0} calls/s"), span);
    let after = memory(&instances)?;
    for instance in instances {
        instance.stop().await?;
    }
    Ok(judge(&best, &most, span, after - before))
}

/// The largest of all, in MiB.
fn memory(instances: &[Instance]) -> Result<f64> {
    let mut most = 0.0;
    for instance in instances {
        most = instance.memory()?.max(most);
    }
    Ok(most)
}

fn judge(best: &Taken, most: &Taken, span: Duration, grown: f64) -> bool {
    let kept = most.rate(Code::Ok, span) / best.rate(Code::Ok, span);
    let slower =
        most.percentile(Code::Ok, 0.99).as_secs_f64() / best.percentile(Code::Ok, 0.99).as_secs_f64();
    let others: usize = most
        .0
        .iter()
        .filter(|(code, _)| !matches!(code, Code::Ok | Code::ResourceExhausted))
        .map(|(_, took)| took.len())
        .sum();
    println!(
        "kept {kept:.2} of the best, 99th percentile of accepted calls {slower:.2} times as long, refused with anything \
         but RESOURCE_EXHAUSTED {others}, memory of an instance {grown:+.1} MiB"
    );
    kept >= KEPT && slower <= SLOWER && others == 0 && grown <= GROWTH
}

/// Makes calls.
#[derive(Clone)]
struct Load {
    client: Client,
    task: Task,
    took: Arc<Mutex<Taken>>,
}

/// How long calls took, by what they ended with; sorted once all have ended.
#[derive(Default)]
struct Taken(HashMap<Code, Vec<Duration>>);

impl Load {
    async fn call(self) {
        let begun = Instant::now();
        let call = WorkClient::new(&self.client).once(self.task.clone());
        let code = match call.timeout(DEADLINE).await {
            Ok(_) => Code::Ok,
            Err(status) => status.code(),
        };
        let took = begun.elapsed();
        self.took.lock().0.entry(code).or_default().push(took);
    }

    /// So many callers, who call without a pause.
    async fn by_callers(&self, callers: usize, span: Duration) -> Result<Taken> {
        let until = Instant::now() + span;
        let mut calling = JoinSet::new();
        for _ in 0..callers {
            let load = self.clone();
            calling.spawn(async move {
                while Instant::now() < until {
                    load.clone().call().await;
                }
            });
        }
        self.ended(calling).await
    }

    /// So many calls a second, whatever becomes of those before.
    async fn at_rate(&self, rate: f64, span: Duration) -> Result<Taken> {
        let mut ticks = interval(STEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (begun, mut count) = (Instant::now(), 0_u64);
        let mut calling = JoinSet::new();
        while begun.elapsed() < span {
            ticks.tick().await;
            let due = (begun.elapsed().min(span).as_secs_f64() * rate) as u64;
            while count < due {
                calling.spawn(self.clone().call());
                count += 1;
            }
            while let Some(ended) = calling.try_join_next() {
                ended?;
            }
        }
        self.ended(calling).await
    }

    async fn ended(&self, mut calling: JoinSet<()>) -> Result<Taken> {
        while let Some(ended) = calling.join_next().await {
            ended?;
        }
        let mut taken = std::mem::take(&mut *self.took.lock());
        taken.0.values_mut().for_each(|took| took.sort_unstable());
        Ok(taken)
    }
}

impl Taken {
    /// How many a second ended so.
    fn rate(&self, code: Code, span: Duration) -> f64 {
        self.0.get(&code).map_or(0, Vec::len) as f64 / span.as_secs_f64()
    }

    fn percentile(&self, code: Code, share: f64) -> Duration {
        let took = self.0.get(&code).map_or(&[][..], Vec::as_slice);
        let at = (took.len() as f64 * share) as usize;
        took.get(at.min(took.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    }

    fn print(&self, what: &str, span: Duration) {
        println!("{what}:");
        for code in self.0.keys() {
            println!(
                "  {:20} {:9.1} a second, half within {:?}, 99 % within {:?}",
                code.name(),
                self.rate(*code, span),
                self.percentile(*code, 0.5),
                self.percentile(*code, 0.99)
            );
        }
    }
}
