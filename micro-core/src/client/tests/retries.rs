//! How long retries wait, on a paused clock.

use tokio::time::Instant;

use super::*;
use crate::client::Backoff;

/// A client whose only node is never well, and how often its handler has run.
async fn sick(backoff: Backoff) -> (World, Server, Arc<AtomicUsize>) {
    let world = World::with_options(ClientOptions::default().with_backoff(backoff));
    let runs = Arc::new(AtomicUsize::new(0));
    let seen = runs.clone();
    let router = Router::new().unary("Test.Try", move |_: Context, _: Json<()>| {
        seen.fetch_add(1, Ordering::SeqCst);
        async { Err(Status::unavailable("the database is away")) as Result<Json<()>, Status> }
    });
    let server = world.serve("n", router).await;
    (world, server, runs)
}

async fn retried(world: &World, times: u32, timeout: Duration) -> (Status, Duration) {
    let start = Instant::now();
    let call = world.client.unary::<_, Json<()>>("test", "Test.Try", Json(()));
    let status = call.retry(times).timeout(timeout).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    (status, start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_retry_waits_at_random_up_to_the_backoff() {
    // Short beside the time that the registry keeps the node without a refresh.
    let base = Duration::from_millis(100);
    let (world, _server, runs) = sick(Backoff::new(base, base * 3)).await;
    let mut longest = Duration::ZERO;
    for _ in 0..50 {
        let (_, took) = retried(&world, 3, base * 100).await;
        assert!(took <= base * (1 + 2 + 3), "{took:?}");
        longest = longest.max(took);
    }
    assert!(longest > base * 3, "{longest:?}");
    assert_eq!(runs.load(Ordering::SeqCst), 200);
}

#[tokio::test(start_paused = true)]
async fn a_call_does_not_wait_past_its_deadline() {
    let (age, second) = (Duration::from_secs(1 << 30), Duration::from_secs(1));
    let (world, _server, runs) = sick(Backoff::new(age, age)).await;
    let (status, took) = retried(&world, 3, second).await;
    assert_eq!(status.message(), "the database is away");
    assert!(took < second, "{took:?}");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}
