//! One subscription of a service: takes events, and runs their handlers.

mod counting;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::FutureExt;
use micro_core::observe::{self, Loss};
use micro_core::queue::Level;
use micro_core::{Context, Event, Subscription};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::standing::Standing;
use super::subscriber::Subscriber;
use crate::events::{Counters, EventFailure, FailedEvent, FailureHandler, Gaps, Handler, ID, metadata};

/// What the subscriptions of one service share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) counters: Arc<Counters>,
    /// Says to take nothing new, and to finish what was delivered.
    pub(super) drain: CancellationToken,
    /// Says to end what still runs.
    pub(super) cut: CancellationToken,
}

/// One subscription, and the handlers that run for it.
pub(super) struct Worker {
    subscription: Subscription,
    queue: Option<String>,
    handler: Handler,
    errors: Option<FailureHandler>,
    concurrency: usize,
    shared: Shared,
    /// `None` in a queue group, whose members get a share of what was sent.
    gaps: Option<Gaps>,
    /// Parent of every handler's context.
    context: Context,
    running: JoinSet<Result<(), EventFailure>>,
    standing: Standing,
    /// How many of its pauses are counted.
    pauses: u64,
}

impl Worker {
    pub(super) fn new(
        subscription: Subscription,
        Subscriber { options, handler, .. }: Subscriber,
        standing: Standing,
        shared: Shared,
    ) -> Self {
        Worker {
            subscription,
            handler,
            gaps: options.queue.is_none().then(Gaps::default),
            queue: options.queue,
            errors: options.error_handler,
            concurrency: options.concurrency.max(1),
            shared,
            context: Context::new(),
            running: JoinSet::new(),
            standing,
            pauses: 0,
        }
    }

    /// Runs until the subscription has ended and its events are handled, or are cut.
    pub(super) async fn run(mut self) {
        let cut = self.shared.cut.clone();
        if cut.run_until_cancelled(self.work()).await.is_none() {
            self.cut().await;
        }
    }

    async fn work(&mut self) {
        let drain = self.shared.drain.clone();
        if drain.run_until_cancelled(self.take_all()).await.is_none() {
            if let Err(error) = self.subscription.drain().await {
                tracing::warn!(topic = self.subscription.topic(), %error, "a subscription did not leave well");
            }
            self.take_all().await;
        } else {
            let topic = self.subscription.topic();
            tracing::error!(topic, "a subscription has ended: no more events come");
            self.standing.ended(topic);
        }
        while let Some(done) = self.running.join_next().await {
            self.count(done);
        }
    }

    /// Takes events until there will be no more.
    async fn take_all(&mut self) {
        let level = self.subscription.level().cloned();
        loop {
            tokio::select! {
                biased;
                Some(done) = self.running.join_next() => self.count(done),
                () = again(level.as_ref(), self.pauses) => self.count_pauses(),
                event = self.subscription.recv(), if self.running.len() < self.concurrency => match event {
                    Some(Ok(event)) => {
                        self.standing.heard();
                        self.begin(event);
                    }
                    Some(Err(error)) => {
                        self.standing.failed(self.subscription.topic(), &error);
                        self.note(&error);
                    }
                    None => return,
                },
                () = self.standing.checked() => {}
                () = given_up(self.gaps.as_ref()) => self.count_missed(|gaps| gaps.give_up(Instant::now())),
            }
        }
    }

    fn begin(&mut self, event: Event) {
        let id = event.headers().get(ID);
        self.count_missed(|gaps| gaps.note(id, Instant::now()));
        let mut context = self.context.child().with_metadata(metadata(event.headers()));
        let topic = self.subscription.topic();
        let observed = observe::process(topic, self.queue.as_deref(), event.headers(), &mut context);
        let handling = self.handle(context, event);
        match observed {
            None => self.running.spawn(handling),
            Some(observed) => self
                .running
                .spawn(observed.process(handling, EventFailure::status)),
        };
    }

    /// Handles one event; when that fails, whoever wants to know is told.
    fn handle(
        &self,
        context: Context,
        event: Event,
    ) -> impl Future<Output = Result<(), EventFailure>> + Send + use<> {
        let handler = self.handler.clone();
        let told = self
            .errors
            .clone()
            .map(|errors| (errors, context.clone(), event.clone()));
        async move {
            let done = handler(context, event).await;
            if let (Err(failure), Some((errors, context, event))) = (&done, told) {
                let failure = failure.clone();
                errors(context, FailedEvent { event, failure }).await;
            }
            done
        }
    }

    /// Ends the handlers that run, and counts them and the events that wait.
    async fn cut(mut self) {
        self.context.cancel();
        self.running.abort_all();
        while let Some(done) = self.running.join_next().await {
            self.count(done);
        }
        while let Some(Some(event)) = self.subscription.recv().now_or_never() {
            match event {
                Ok(_) => {
                    add(&self.shared.counters.cut, 1);
                    self.subscription
                        .ledger()
                        .inspect(|ledger| ledger.note(Loss::Cut, 1));
                }
                Err(error) => self.note(&error),
            }
        }
    }
}

/// What a handler spawned may hold its context.
impl Drop for Worker {
    fn drop(&mut self) {
        self.context.cancel();
    }
}

/// Waits for another pause than so many.
async fn again(level: Option<&Level>, pauses: u64) {
    match level {
        Some(level) => level.until_again(pauses).await,
        None => std::future::pending().await,
    }
}

/// Waits until an event has been missing for so long that it will not come.
async fn given_up(gaps: Option<&Gaps>) {
    match gaps.and_then(Gaps::due) {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
