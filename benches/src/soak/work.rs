//! Calls, streams and events at once, as fast as they can or at a pace.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use broker_nats::NatsBroker;
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use micro_core::{Broker, Message, PluginConfig, SubscribeOptions, Subscription};
use nats_common::Connection;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::calls;
use crate::forms::AsJson;
use crate::stack::{self, Backends, Service};

/// How many items one stream has.
const ITEMS: u64 = 1000;

/// How many events are published before they are awaited.
const EVENTS: u64 = 64;

type Act = Arc<dyn Fn(u64) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// One kind of work, done by several workers.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    /// How many calls, items or events one act is.
    worth: u64,
    workers: u64,
    act: Act,
    /// Acts so far.
    done: Arc<AtomicU64>,
}

impl Work {
    fn new<F, Fut>(name: &'static str, worth: u64, workers: u64, act: F) -> Self
    where
        F: Fn(u64) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        Work {
            name,
            worth,
            workers,
            act: Arc::new(move |number| act(number).boxed()),
            done: Arc::default(),
        }
    }

    /// Calls, items or events so far.
    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed) * self.worth
    }

    /// Starts the workers; together they do `rate` a second, or what they can.
    fn start(&self, rate: Option<f64>, end: Instant, workers: &mut JoinSet<Result<()>>) {
        let pause = rate.map(|rate| Duration::from_secs_f64((self.workers * self.worth) as f64 / rate));
        for number in 0..self.workers {
            workers.spawn(work(self.act.clone(), self.done.clone(), number, pause, end));
        }
    }
}

async fn work(
    act: Act,
    done: Arc<AtomicU64>,
    number: u64,
    pause: Option<Duration>,
    end: Instant,
) -> Result<()> {
    let mut pace = pause.map(interval);
    if let Some(pace) = &mut pace {
        // What a busy machine delayed is not made up for: that would be more than half of the load.
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
    let mut id = number << 32;
    while Instant::now() < end {
        if let Some(pace) = &mut pace {
            pace.tick().await;
        }
        act(id).await?;
        id += 1;
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// All that is done at once.
pub(crate) struct Load {
    pub(crate) works: Vec<Work>,
    _service: Service,
}

impl Load {
    /// A service, its callers and its events, on one connection as one process has it.
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let connection = Connection::open(&PluginConfig::default().with_addresses(url)).await?;
        let backends = Backends::nats(connection.clone());
        let service = Service::start(&backends).await?;
        let (client, name) = (stack::client(&backends)?, service.name);
        let streaming = client.clone();
        let works = vec![
            Work::new("calls", 1, 64, move |id| {
                calls::order::<AsJson>(client.clone(), name, id)
            }),
            Work::new("stream items", ITEMS, 2, move |_| {
                calls::items::<AsJson>(streaming.clone(), name, ITEMS)
            }),
            events(NatsBroker::new(connection)).await?,
        ];
        Ok(Load {
            works,
            _service: service,
        })
    }

    /// Works for so long; `rates` bounds each kind of work. Returns what each did in a second.
    pub(crate) async fn run(&self, rates: Option<&[f64]>, time: Duration) -> Result<Vec<f64>> {
        let before: Vec<u64> = self.works.iter().map(Work::done).collect();
        let start = Instant::now();
        let mut workers = JoinSet::new();
        for (at, work) in self.works.iter().enumerate() {
            work.start(rates.map(|rates| rates[at]), start + time, &mut workers);
        }
        while let Some(done) = workers.join_next().await {
            done??;
        }
        let seconds = start.elapsed().as_secs_f64();
        let pairs = self.works.iter().zip(before);
        Ok(pairs
            .map(|(work, before)| (work.done() - before) as f64 / seconds)
            .collect())
    }
}

/// Two publishers, each with a subscriber of its own.
async fn events(broker: NatsBroker) -> Result<Work> {
    let mut subscribers = Vec::new();
    for topic in ["bench.soak.0", "bench.soak.1"] {
        let events = broker.subscribe(topic, SubscribeOptions::default()).await?;
        subscribers.push((topic, Arc::new(Mutex::new(events))));
    }
    let workers = subscribers.len() as u64;
    Ok(Work::new("events", EVENTS, workers, move |id| {
        let (topic, events) = subscribers[(id >> 32) as usize].clone();
        publish_and_receive(broker.clone(), topic, events)
    }))
}

async fn publish_and_receive(
    broker: NatsBroker,
    topic: &'static str,
    events: Arc<Mutex<Subscription>>,
) -> Result<()> {
    let body = Bytes::from_static(&[b'.'; 128]);
    for _ in 0..EVENTS {
        broker.publish(topic, Message::new(body.clone())).await?;
    }
    let mut events = events.lock().await;
    for _ in 0..EVENTS {
        let event = events.recv().await.context("the subscription has ended")??;
        ensure!(event.message.body == body, "another event came");
    }
    Ok(())
}
