//! One instance of the service, in a process of its own: serves until SIGTERM, and then tells what it handled.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::{StreamExt, TryStreamExt, stream};
use micro::{Context, Json, Overflow, ServerOptions, Service, Status, Streaming, SubscriberOptions};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use crate::interface::{EVENTS, GROUP, NAME, Task, Work, WorkServer, plugins};

/// What an instance writes once it can be called.
pub(crate) const READY: &str = "ready";

/// By which an instance keeps what it handles.
pub(crate) const KEEPS: &str = "--keeps";

/// Where the others are.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The servers to use.
    #[arg(long)]
    nats: String,
    /// Keeps the numbers of what it handles, and tells them at its end.
    #[arg(long)]
    keeps: bool,
    /// How many requests it runs at once.
    #[arg(long)]
    limit: Option<usize>,
    /// How long it takes for an event, in microseconds.
    #[arg(long, default_value_t = 0)]
    event_work: u64,
    /// Leaves the queue group of the events while too many wait.
    #[arg(long)]
    pauses: bool,
}

/// The numbers that an instance has handled, each as often as it did.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Handled {
    pub(crate) calls: Vec<u64>,
    pub(crate) events: Vec<u64>,
    /// How many requests were running when it was told to stop.
    pub(crate) running: u64,
    /// What the stop cut off.
    pub(crate) cut: u64,
    /// Events that were dropped because too many waited.
    pub(crate) lost: u64,
    /// How many times it left the queue group because of that.
    pub(crate) pauses: u64,
}

#[derive(Clone)]
struct Handler {
    keeps: bool,
    handled: Arc<Mutex<Handled>>,
}

impl Handler {
    fn note(&self, id: u64, kind: fn(&mut Handled) -> &mut Vec<u64>) {
        if self.keeps {
            kind(&mut self.handled.lock()).push(id);
        }
    }
}

impl Work for Handler {
    async fn once(&self, _: &Context, task: Task) -> Result<u64, Status> {
        self.note(task.id, |handled| &mut handled.calls);
        if task.pause > 0 {
            sleep(task.pause()).await;
        }
        Ok(task.id)
    }

    async fn many(&self, _: &Context, task: Task) -> Result<Streaming<u64>, Status> {
        let pause = task.pause();
        let items = stream::iter(0..task.items).then(move |item| async move {
            sleep(pause).await;
            Ok(item)
        });
        Ok(Streaming::new(items))
    }

    async fn count(&self, _: &Context, mut tasks: Streaming<Task>) -> Result<u64, Status> {
        let mut count = 0;
        while let Some(task) = tasks.next().await {
            task?;
            count += 1;
        }
        Ok(count)
    }

    async fn each(&self, _: &Context, tasks: Streaming<Task>) -> Result<Streaming<u64>, Status> {
        Ok(Streaming::new(tasks.map_ok(|task| task.id)))
    }
}

/// Serves until SIGTERM.
pub(crate) async fn run(args: &Args) -> Result<()> {
    // Before anybody can know of this process.
    let mut stop = signal(SignalKind::terminate())?;
    let handler = Handler {
        keeps: args.keeps,
        handled: Arc::default(),
    };
    let service = start(args, &handler).await?;
    println!("{READY}");
    stop.recv().await;
    let running = service.in_flight() as u64;
    let events = service.events();
    let report = service.shutdown().await?;
    let mut handled = mem::take(&mut *handler.handled.lock());
    handled.running = running;
    (handled.lost, handled.pauses) = (events.lost, events.pauses);
    handled.cut = report.requests_cut as u64 + report.events_cut;
    println!("{}", serde_json::to_string(&handled)?);
    Ok(())
}

async fn start(args: &Args, handler: &Handler) -> Result<Service> {
    let heard = handler.clone();
    let work = Duration::from_micros(args.event_work);
    let on_event = move |_: Context, Json(id): Json<u64>| {
        heard.note(id, |handled| &mut handled.events);
        async move {
            if !work.is_zero() {
                sleep(work).await;
            }
            Ok::<_, Status>(())
        }
    };
    let mut group = SubscriberOptions::default().with_queue(GROUP);
    if args.pauses {
        group = group.with_overflow(Overflow::Pause);
    }
    let plugins = plugins(&args.nats);
    let mut options = ServerOptions::default();
    if let Some(limit) = args.limit {
        options = options.with_max_concurrent_requests(limit);
    }
    let service = Service::builder(NAME)
        .transport_plugin(plugins.transport)
        .broker_plugin(plugins.broker)
        .registry_plugin(plugins.registry)
        .server_options(options)
        .serve(WorkServer::new(handler.clone()))
        .subscribe_with(EVENTS, group, on_event);
    service.start().await.context("the instance does not start")
}
