//! What clauses call.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt;
use micro_core::{Context, Json, Router, Status, Streaming};
use tokio::sync::{Notify, mpsc, oneshot};

/// All four kinds: `Test.Double`, `Test.Count`, `Test.Sum`, `Test.Echo`.
pub(super) fn router() -> Router {
    Router::new()
        .unary("Test.Double", double)
        .server_stream("Test.Count", count)
        .client_stream("Test.Sum", sum)
        .bidi_stream("Test.Echo", echo)
}

async fn double(_: Context, Json(number): Json<u64>) -> Result<Json<u64>, Status> {
    Ok(Json(number * 2))
}

async fn count(_: Context, Json(to): Json<u64>) -> Result<Streaming<Json<u64>>, Status> {
    let numbers = futures::stream::iter(0..to);
    Ok(Streaming::new(numbers.map(|number| Ok(Json(number)))))
}

async fn sum(_: Context, mut numbers: Streaming<Json<u64>>) -> Result<Json<u64>, Status> {
    let mut sum = 0;
    while let Some(number) = numbers.next().await {
        sum += number?.0;
    }
    Ok(Json(sum))
}

async fn echo(_: Context, numbers: Streaming<Json<u64>>) -> Result<Streaming<Json<u64>>, Status> {
    Ok(numbers)
}

/// All numbers, one after the other, for ever.
pub(super) fn forever() -> Streaming<Json<u64>> {
    Streaming::new(futures::stream::iter(0..).map(|number| Ok(Json(number))))
}

/// `Test.Run`, which counts how often it runs, and doubles.
pub(super) fn counting(runs: &Runs) -> Router {
    let runs = runs.clone();
    Router::new().unary("Test.Run", move |_: Context, Json(number): Json<u64>| {
        runs.count();
        async move { Ok(Json(number * 2)) }
    })
}

/// How often something ran.
#[derive(Clone, Default)]
pub(super) struct Runs(Arc<AtomicUsize>);

impl Runs {
    pub(super) fn count(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// An event that happens once, and can be waited for before and after.
#[derive(Clone, Default)]
pub(super) struct Signal(Arc<Notify>);

impl Signal {
    pub(super) fn fire(&self) {
        self.0.notify_one();
    }

    pub(super) async fn fired(&self) {
        self.0.notified().await;
    }

    /// Fires when the returned value is dropped.
    pub(super) fn on_drop(&self) -> OnDrop {
        OnDrop(self.clone())
    }
}

pub(super) struct OnDrop(Signal);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.fire();
    }
}

/// More calls than any clause has waiting at one gate.
const GATE: usize = 20_000;

/// Where calls of `Test.Wait` arrive, and wait until the clause says how they end.
pub(super) struct Gate(mpsc::Receiver<Arrival>);

/// A handler that runs.
pub(super) struct Arrival {
    pub(super) context: Context,
    pub(super) number: u64,
    answer: oneshot::Sender<Result<Json<u64>, Status>>,
    ended: Signal,
}

/// A gate, and the router whose calls arrive there.
pub(super) fn gate() -> (Gate, Router) {
    let (sender, arrivals) = mpsc::channel(GATE);
    let router = Router::new().unary("Test.Wait", move |context: Context, Json(number): Json<u64>| {
        wait_at(sender.clone(), context, number)
    });
    (Gate(arrivals), router)
}

async fn wait_at(gate: mpsc::Sender<Arrival>, context: Context, number: u64) -> Result<Json<u64>, Status> {
    let ended = Signal::default();
    let _ended = ended.on_drop();
    let (answer, answered) = oneshot::channel();
    let arrival = Arrival {
        context,
        number,
        answer,
        ended,
    };
    if gate.send(arrival).await.is_err() {
        return Err(Status::internal("the clause has ended"));
    }
    match answered.await {
        Ok(answer) => answer,
        // The clause has let go of it: it waits until it is cancelled.
        Err(_) => std::future::pending().await,
    }
}

impl Gate {
    pub(super) async fn arrival(&mut self) -> Arrival {
        self.0.recv().await.expect("a gate outlives its router")
    }

    pub(super) async fn arrivals(&mut self, count: usize) -> Vec<Arrival> {
        let mut arrivals = Vec::with_capacity(count);
        for _ in 0..count {
            arrivals.push(self.arrival().await);
        }
        arrivals
    }

    /// Lets go of those that have arrived, and says how many they were: their handlers wait to be cancelled.
    pub(super) fn let_go(&mut self) -> usize {
        std::iter::from_fn(|| self.0.try_recv().ok()).count()
    }
}

impl Arrival {
    /// Answers with ten times the number.
    pub(super) fn answer(self) {
        let answer = Ok(Json(self.number * 10));
        // Whoever no longer waits is no concern of the clause.
        self.answer.send(answer).ok();
    }

    /// Answers with this failure.
    pub(super) fn fail(self, status: Status) {
        self.answer.send(Err(status)).ok();
    }

    /// Waits until the handler has ended, by whatever cause.
    pub(super) async fn ended(&self) {
        self.ended.fired().await;
    }
}
