use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt;
use micro_core::Code;
use parking_lot::Mutex;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use super::*;

type Answer = Result<Body, Status>;

/// Whoever is called: answers what it was told, and else well.
#[derive(Clone)]
struct Stage {
    breaker: CircuitBreakerLayer,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    called: Arc<AtomicUsize>,
    /// Whether it never answers.
    hangs: Arc<Mutex<bool>>,
}

const PAUSE: Duration = Duration::from_secs(5);

impl Stage {
    fn new(options: CircuitBreakerOptions) -> Self {
        let options = options.with_minimum_calls(4).with_pause(PAUSE, PAUSE * 3);
        Stage {
            breaker: CircuitBreakerLayer::new(options),
            answers: Arc::default(),
            called: Arc::default(),
            hangs: Arc::default(),
        }
    }

    fn service(&self) -> CircuitBreaker<BoxCloneSyncService<Request, Response, Status>> {
        let stage = self.clone();
        let inner = tower::service_fn(move |_: Request| {
            stage.called.fetch_add(1, Ordering::Relaxed);
            let answer = stage.answers.lock().pop_front();
            let hangs = *stage.hangs.lock();
            async move {
                if hangs {
                    std::future::pending::<()>().await;
                }
                answer.unwrap_or(Ok(Body::One(Bytes::new()))).map(Response::new)
            }
        });
        self.breaker.layer(BoxCloneSyncService::new(inner))
    }

    async fn call(&self, endpoint: &'static str) -> Result<Response, Status> {
        let request = Request::new("test", endpoint, Bytes::new());
        self.service().oneshot(request).await
    }

    async fn fail(&self, times: usize, status: Status) {
        for _ in 0..times {
            self.answers.lock().push_back(Err(status.clone()));
            assert_eq!(self.call("A.B").await.unwrap_err(), status);
        }
    }

    /// Whether a call is refused without being made.
    async fn refuses(&self) -> bool {
        let before = self.called.load(Ordering::Relaxed);
        let answer = self.call("A.B").await;
        let made = self.called.load(Ordering::Relaxed) > before;
        match answer {
            Err(status) => !made && status.code() == Code::Unavailable && status.is_never_delivered(),
            Ok(_) => false,
        }
    }

    fn state(&self) -> CircuitState {
        self.breaker.state("test", "A.B")
    }

    async fn open() -> Self {
        let stage = Stage::new(CircuitBreakerOptions::default());
        stage.fail(4, unavailable()).await;
        assert_eq!(stage.state(), CircuitState::Open);
        stage
    }
}

fn unavailable() -> Status {
    Status::unavailable("no database")
}

#[tokio::test(start_paused = true)]
async fn it_opens_when_enough_of_enough_calls_fail() {
    let stage = Stage::new(CircuitBreakerOptions::default());
    stage.fail(2, unavailable()).await;
    assert!(stage.call("A.B").await.is_ok());
    assert_eq!(stage.state(), CircuitState::Closed);
    stage.fail(1, unavailable()).await;
    assert_eq!(stage.state(), CircuitState::Open);
    assert!(stage.refuses().await);
}

#[tokio::test(start_paused = true)]
async fn failures_of_long_ago_do_not_count() {
    let stage = Stage::new(CircuitBreakerOptions::default());
    stage.fail(3, unavailable()).await;
    tokio::time::advance(Duration::from_secs(10)).await;
    stage.fail(3, unavailable()).await;
    assert_eq!(stage.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_says_nothing_of_health_does_not_count() {
    let stage = Stage::new(CircuitBreakerOptions::default());
    for status in [
        Status::not_found("x"),
        Status::internal("x"),
        Status::unauthenticated("x"),
        Status::deadline_exceeded("before it was made").never_delivered(),
        Status::resource_exhausted("of our own").never_delivered(),
    ] {
        stage.fail(4, status).await;
    }
    assert_eq!(stage.state(), CircuitState::Closed);
    stage.fail(20, Status::deadline_exceeded("x")).await;
    assert_eq!(stage.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_goes_well_closes_it() {
    let stage = Stage::open().await;
    tokio::time::advance(PAUSE - Duration::from_millis(1)).await;
    assert!(stage.refuses().await);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(stage.state(), CircuitState::HalfOpen);
    assert!(stage.call("A.B").await.is_ok());
    assert_eq!(stage.state(), CircuitState::Closed);
    // What opened it is forgotten.
    stage.fail(3, unavailable()).await;
    assert_eq!(stage.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn each_probe_that_fails_makes_the_next_pause_longer() {
    let stage = Stage::open().await;
    for pause in [PAUSE, PAUSE * 2, PAUSE * 3, PAUSE * 3] {
        tokio::time::advance(pause - Duration::from_millis(1)).await;
        assert!(stage.refuses().await, "{pause:?}");
        tokio::time::advance(Duration::from_millis(1)).await;
        stage.fail(1, unavailable()).await;
        assert_eq!(stage.state(), CircuitState::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn one_probe_at_a_time_goes_through_until_it_tells() {
    let stage = Stage::open().await;
    tokio::time::advance(PAUSE).await;
    *stage.hangs.lock() = true;
    let mut probe = Box::pin(stage.call("A.B"));
    assert!((&mut probe).now_or_never().is_none());
    assert!(stage.refuses().await);
    assert_eq!(stage.state(), CircuitState::HalfOpen);
    // One that is given up has told nothing, and makes room for another.
    drop(probe);
    *stage.hangs.lock() = false;
    assert!(stage.call("A.B").await.is_ok());
    assert_eq!(stage.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_before_it_opened_tells_nothing_of_after() {
    let stage = Stage::new(CircuitBreakerOptions::default());
    *stage.hangs.lock() = true;
    let mut early = Box::pin(stage.call("A.B"));
    assert!((&mut early).now_or_never().is_none());
    *stage.hangs.lock() = false;
    stage.fail(4, unavailable()).await;
    tokio::time::advance(PAUSE).await;
    assert_eq!(stage.state(), CircuitState::HalfOpen);
    drop(early);
    assert!(stage.call("A.B").await.is_ok());
    assert_eq!(stage.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn it_closes_after_all_its_probes_went_well() {
    let stage = Stage::new(CircuitBreakerOptions::default().with_probes(3));
    stage.fail(4, unavailable()).await;
    tokio::time::advance(PAUSE).await;
    for _ in 0..2 {
        assert!(stage.call("A.B").await.is_ok());
        assert_eq!(stage.state(), CircuitState::HalfOpen);
    }
    assert!(stage.call("A.B").await.is_ok());
    assert_eq!(stage.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn endpoints_have_circuits_of_their_own() {
    let stage = Stage::open().await;
    assert!(stage.call("A.C").await.is_ok());
    assert_eq!(stage.breaker.state("test", "A.C"), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn more_endpoints_than_there_is_room_for_are_let_through() {
    let stage = Stage::open().await;
    for number in 0..3_000 {
        let request = Request::new("test", format!("A.N{number}"), Bytes::new());
        assert!(stage.service().oneshot(request).await.is_ok());
    }
    assert!(stage.refuses().await, "an open circuit makes no room");
}

#[tokio::test(start_paused = true)]
async fn a_stream_tells_by_how_it_begins() {
    let stage = Stage::open().await;
    tokio::time::advance(PAUSE).await;
    let endless = futures::stream::repeat_with(|| Ok(Bytes::new()));
    let answer = Ok(Body::Many(BodyStream::new(endless)));
    stage.answers.lock().push_back(answer);
    let mut answer = stage.call("A.B").await.unwrap().body.into_many();
    assert_eq!(stage.state(), CircuitState::HalfOpen);
    assert!(answer.next().await.is_some());
    assert_eq!(stage.state(), CircuitState::Closed);
    for _ in 0..4 {
        let broken = futures::stream::once(async { Err(unavailable()) });
        stage
            .answers
            .lock()
            .push_back(Ok(Body::Many(BodyStream::new(broken))));
        let mut answer = stage.call("A.B").await.unwrap().body.into_many();
        assert!(answer.next().await.unwrap().is_err());
    }
    assert_eq!(stage.state(), CircuitState::Open);
}
