//! One instance of the service, in a process of its own: serves until SIGTERM, and then tells what it handled.

use std::mem;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use futures::{FutureExt, StreamExt, stream};
use micro::{Context, Json, Service, Status, Streaming, SubscriberOptions};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use crate::interface::{EVENTS, GROUP, Task, Work, WorkServer, plugins};

/// What an instance writes once it can be called.
pub(crate) const READY: &str = "ready";

/// Where the others are.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The servers to use.
    #[arg(long)]
    nats: String,
}

/// The numbers that an instance has handled, each as often as it did.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Handled {
    pub(crate) calls: Vec<u64>,
    pub(crate) events: Vec<u64>,
    /// What the stop cut off.
    pub(crate) cut: u64,
}

struct Handler(Arc<Mutex<Handled>>);

impl Work for Handler {
    async fn once(&self, _: &Context, task: Task) -> Result<u64, Status> {
        self.0.lock().calls.push(task.id);
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
}

/// Serves until SIGTERM.
pub(crate) async fn run(args: &Args) -> Result<()> {
    // Before anybody can know of this process.
    let mut stop = signal(SignalKind::terminate())?;
    let handled = Arc::new(Mutex::new(Handled::default()));
    let service = start(&args.nats, &handled).await?;
    println!("{READY}");
    let report = service.run_until(stop.recv().map(drop)).await?;
    let mut handled = mem::take(&mut *handled.lock());
    handled.cut = report.requests_cut as u64 + report.events_cut;
    println!("{}", serde_json::to_string(&handled)?);
    Ok(())
}

async fn start(servers: &str, handled: &Arc<Mutex<Handled>>) -> Result<Service> {
    let heard = handled.clone();
    let on_event = move |_: Context, Json(id): Json<u64>| {
        heard.lock().events.push(id);
        async { Ok::<_, Status>(()) }
    };
    let plugins = plugins(servers);
    let service = Service::builder("chaos")
        .transport_plugin(plugins.transport)
        .broker_plugin(plugins.broker)
        .registry_plugin(plugins.registry)
        .serve(WorkServer::new(Handler(handled.clone())))
        .subscribe_with(EVENTS, SubscriberOptions::default().with_queue(GROUP), on_event);
    service.start().await.context("the instance does not start")
}
