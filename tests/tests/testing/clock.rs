//! Tests in memory that wait for no time to pass.

use std::time::Duration;

use micro::ErrorKind;
use micro::prelude::*;
use micro::testing::{Faults, Testbed};
use tokio::time::{Instant, sleep};

use super::{ask, hearing, instance, publish};

const HOUR: Duration = Duration::from_secs(3600);

/// Fails a test that waits for the clock on the wall: it moved by more than its work may take, and a tenth of what the
/// paused clock did.
struct Wall(std::time::Instant, Instant);

impl Wall {
    const WORK: Duration = Duration::from_secs(10);

    fn new() -> Self {
        Wall(std::time::Instant::now(), Instant::now())
    }
}

impl Drop for Wall {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let limit = Wall::WORK + self.1.elapsed() / 10;
            let elapsed = self.0.elapsed();
            assert!(elapsed < limit, "{elapsed:?}, and not {limit:?}");
        }
    }
}

fn slow() -> Router {
    Router::new().unary("Test.Name", |_: Context, Json(()): Json<()>| async {
        sleep(HOUR).await;
        Ok(Json("at last".to_owned()))
    })
}

#[tokio::test(start_paused = true)]
async fn a_deadline_passes_to_the_second() {
    let _wall = Wall::new();
    let bed = Testbed::memory();
    let _service = bed.service("test").serve(slow()).start().await.unwrap();
    let client = bed.client().await.unwrap();
    let start = Instant::now();
    assert_eq!(ask(&client).await.unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(start.elapsed().as_secs(), 5);
    let call = client
        .unary::<_, Json<String>>("test", "Test.Name", Json(()))
        .timeout(2 * HOUR);
    assert_eq!(call.await, Ok(Json("at last".to_owned())));
    assert_eq!(start.elapsed().as_secs(), 3605);
}

#[tokio::test(start_paused = true)]
async fn a_service_stays_registered_for_a_week() {
    let _wall = Wall::new();
    let bed = Testbed::memory();
    let service = instance(&bed.host("a"), "a").await;
    let client = bed.client().await.unwrap();
    for _ in 0..7 {
        sleep(24 * HOUR).await;
        assert_eq!(ask(&client).await.as_deref(), Ok("a"));
    }
    assert!(service.health().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_killed_host_ages_out() {
    let _wall = Wall::new();
    let bed = Testbed::memory();
    let _service = instance(&bed.host("a"), "a").await;
    let registry = bed.host("caller").backends().await.unwrap().registry().clone();
    bed.host("a").kill();
    sleep(Duration::from_secs(59)).await;
    assert_eq!(registry.get("test").await.unwrap().len(), 1);
    sleep(Duration::from_secs(32)).await;
    assert_eq!(
        registry.get("test").await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_cuts_at_its_limit() {
    let _wall = Wall::new();
    let bed = Testbed::memory();
    let service = bed.service("test").serve(slow()).start().await.unwrap();
    let client = bed.client().await.unwrap();
    let call = tokio::spawn(async move {
        client
            .unary::<_, Json<String>>("test", "Test.Name", Json(()))
            .timeout(2 * HOUR)
            .await
    });
    while service.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    let start = Instant::now();
    assert_eq!(service.shutdown().await.unwrap().requests_cut, 1);
    assert_eq!(start.elapsed().as_secs(), 30);
    assert!(call.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_slow_network_delays_calls_events_and_lookups() {
    let _wall = Wall::new();
    let bed = Testbed::memory();
    let (service, mut heard) = hearing(bed.service("listener"));
    let _listener = service.start().await.unwrap();
    let _service = instance(&bed.host("a"), "a").await;
    let backends = bed.host("caller").backends().await.unwrap();
    let second = Faults::default().with_delay(Duration::from_secs(1)..=Duration::from_secs(1));
    bed.registry_faults(&second);
    bed.socket_faults(&second);
    bed.event_faults(&second);
    let took = async |what: &str, seconds: u64, start: Instant| {
        assert_eq!(
            start.elapsed().as_millis() / 10,
            u128::from(seconds) * 100,
            "{what}"
        );
        Instant::now()
    };
    let start = Instant::now();
    backends.registry().get("test").await.unwrap();
    let start = took("a lookup", 1, start).await;
    publish(&backends, 0..10).await;
    for number in 0..10 {
        assert_eq!(heard.recv().await, Some(number));
    }
    let start = took("ten events side by side", 1, start).await;
    assert_eq!(ask(backends.client()).await.as_deref(), Ok("a"));
    // The way there and back, behind the lookup and the watch that a first call begins with.
    assert!(start.elapsed() >= Duration::from_secs(3), "{:?}", start.elapsed());
    let start = Instant::now();
    assert_eq!(ask(backends.client()).await.as_deref(), Ok("a"));
    took("there and back", 2, start).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the clock is paused, and a nats-server does not wait for it")]
async fn a_server_of_the_real_world_does_not_wait() {
    drop(Testbed::nats().await);
}
