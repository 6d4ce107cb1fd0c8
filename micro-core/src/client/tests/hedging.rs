//! When a second attempt is made, on a paused clock.

use tokio::time::Instant;

use super::*;
use crate::client::Hedge;

/// How long a well node takes.
const TIME: Duration = Duration::from_millis(10);

/// A node that answers after this many times the usual.
async fn serve(world: &World, id: &str, times: &Arc<AtomicUsize>) -> Server {
    let times = times.clone();
    let router = Router::new().unary("Test.Work", move |_: Context, number: Json<u64>| {
        let time = TIME * times.load(Ordering::SeqCst) as u32;
        async move {
            tokio::time::sleep(time).await;
            Ok(number)
        }
    });
    world.serve(id, router).await
}

async fn took(world: &World, hedge: Hedge) -> Duration {
    let start = Instant::now();
    let call = world.client.unary("test", "Test.Work", Json(7_u64));
    let answer: Result<Json<u64>, Status> = call.hedge(hedge).await;
    assert_eq!(answer, Ok(Json(7)));
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_percentile_follows_what_calls_take() {
    let world = World::new();
    let [slow, well] = [(); 2].map(|()| Arc::new(AtomicUsize::new(1)));
    let _servers = [
        serve(&world, "slow", &slow).await,
        serve(&world, "well", &well).await,
    ];
    let hedge = Hedge::Percentile(0.9);
    for _ in 0..50 {
        assert!(took(&world, hedge).await < TIME * 2);
    }
    slow.store(100, Ordering::SeqCst);
    let mut overtaken = 0;
    // With more of them than one in ten, the percentile itself becomes that of those that were overtaken.
    while overtaken < 5 {
        let took = took(&world, hedge).await;
        assert!(took < TIME * 4, "{took:?}");
        overtaken += usize::from(took >= TIME * 2);
    }
}

#[tokio::test(start_paused = true)]
async fn before_enough_was_measured_there_is_no_second_attempt() {
    let world = World::new();
    let slow = Arc::new(AtomicUsize::new(100));
    let _servers = [serve(&world, "a", &slow).await, serve(&world, "b", &slow).await];
    for _ in 0..20 {
        assert!(took(&world, Hedge::Percentile(0.0)).await >= TIME * 100);
    }
}

#[tokio::test(start_paused = true)]
async fn where_there_is_no_other_node_the_first_is_waited_for() {
    let world = World::new();
    let slow = Arc::new(AtomicUsize::new(100));
    let _server = serve(&world, "only", &slow).await;
    assert!(took(&world, Hedge::After(TIME)).await >= TIME * 100);
    assert!(took(&world, Hedge::After(Duration::ZERO)).await >= TIME * 100);
}
