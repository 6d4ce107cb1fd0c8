//! Messages one after the other, in one direction or both.

use futures::StreamExt;
use micro_core::{Client, Code, Context, Json, Router, Status, Streaming};

use super::RpcWorld;
use super::handlers::{Runs, Signal, forever, router};
use super::stage::{PATIENCE, SERVICE, ask, pair};

/// More than any queue on the way holds.
const MANY: u64 = 10_000;

/// Ten thousand messages each way arrive, each once, in order.
pub async fn ten_thousand_messages_arrive_in_order_each_way(world: &RpcWorld) {
    let (client, _server) = pair(world, router()).await;
    let call = client.server_stream::<_, Json<u64>>(SERVICE, "Test.Count", Json(MANY));
    assert_counted(call.await.unwrap(), MANY).await;
    let numbers = || Streaming::new(forever().take(MANY as usize));
    let Json(sum): Json<u64> = client
        .client_stream(SERVICE, "Test.Sum", numbers())
        .await
        .unwrap();
    assert_eq!(sum, MANY * (MANY - 1) / 2);
    let call = client.bidi_stream(SERVICE, "Test.Echo", numbers());
    assert_counted(call.await.unwrap(), MANY).await;
}

async fn assert_counted(mut numbers: Streaming<Json<u64>>, count: u64) {
    for expected in 0..count {
        assert_eq!(numbers.next().await, Some(Ok(Json(expected))));
    }
    assert_eq!(numbers.next().await, None);
}

/// A hundred streams at once do not get into each other's way.
pub async fn a_hundred_streams_at_once_are_apart(world: &RpcWorld) {
    let (client, _server) = pair(world, router()).await;
    let streams = (0..100_u64).map(|index| {
        let client = client.clone();
        tokio::spawn(async move {
            let numbers = (0..50).map(|step| Json(index * 1000 + step)).collect();
            let call = client.bidi_stream::<Json<u64>, Json<u64>>(SERVICE, "Test.Echo", numbers);
            let echoed = call.timeout(PATIENCE).await.unwrap().collect().await.unwrap();
            assert!(
                echoed
                    .iter()
                    .map(|number| number.0)
                    .eq((0..50).map(|step| index * 1000 + step))
            );
        })
    });
    for stream in futures::future::join_all(streams).await {
        stream.unwrap();
    }
}

/// A caller that has sent its last message, or none at all, still gets the answer that depends on the end.
pub async fn a_half_closed_stream_still_gets_its_answer(world: &RpcWorld) {
    let (client, _server) = pair(world, router()).await;
    for count in [0, 1, 100] {
        let numbers = (1..=count).map(Json).collect();
        let call = client.client_stream::<_, Json<u64>>(SERVICE, "Test.Sum", numbers);
        assert_eq!(call.timeout(PATIENCE).await, Ok(Json(count * (count + 1) / 2)));
    }
    let call = client.bidi_stream::<Json<u64>, Json<u64>>(SERVICE, "Test.Echo", Streaming::from_iter([]));
    assert_eq!(call.timeout(PATIENCE).await.unwrap().collect().await, Ok(vec![]));
}

/// Each answer of a conversation waits for the question before it: nothing is held back until there is more.
pub async fn a_conversation_goes_back_and_forth(world: &RpcWorld) {
    let (client, _server) = pair(world, router()).await;
    let (questions, mut asked) = tokio::sync::mpsc::channel(1);
    let asked = futures::stream::poll_fn(move |cx| asked.poll_recv(cx));
    let call = client.bidi_stream::<_, Json<u64>>(SERVICE, "Test.Echo", Streaming::new(asked.map(Ok)));
    let mut answers = call.timeout(PATIENCE).await.unwrap();
    for number in 0..200 {
        questions.send(Json(number)).await.unwrap();
        assert_eq!(answers.next().await, Some(Ok(Json(number))));
    }
    drop(questions);
    assert_eq!(answers.next().await, None);
}

/// An error in the middle of a stream comes after the messages before it, and nothing comes after it.
pub async fn an_error_comes_after_the_messages_before_it(world: &RpcWorld) {
    let router =
        Router::new().server_stream("Test.Fail", |_: Context, Json(after): Json<usize>| async move {
            let status = Status::data_loss("half of it").with_details(&b"\x00\xff"[..]);
            let failed = futures::stream::once(async { Err(status) });
            Ok(Streaming::new(
                forever().take(after).chain(failed).chain(forever()),
            ))
        });
    let (client, _server) = pair(world, router).await;
    for after in [0, 1, 500] {
        let call = client.server_stream::<_, Json<u64>>(SERVICE, "Test.Fail", Json(after));
        let mut numbers = call.timeout(PATIENCE).await.unwrap();
        for expected in 0..after as u64 {
            assert_eq!(numbers.next().await, Some(Ok(Json(expected))));
        }
        let status = numbers.next().await.unwrap().unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::DataLoss, "half of it"));
        assert_eq!(status.details(), &b"\x00\xff"[..]);
        assert_eq!(numbers.next().await, None);
    }
}

/// An error in what the caller sends ends the call with it, and the handler does not take it for a good end.
pub async fn an_error_of_the_caller_is_no_good_end(world: &RpcWorld) {
    let (finished, ended) = (Runs::default(), Signal::default());
    let (runs, on_end) = (finished.clone(), ended.clone());
    let router = Router::new().client_stream("Test.Sum", move |_: Context, numbers: Streaming<Json<u64>>| {
        let (runs, guard) = (runs.clone(), on_end.on_drop());
        async move {
            let _guard = guard;
            let sum = numbers.collect().await?.iter().map(|number| number.0).sum();
            runs.count();
            Ok(Json::<u64>(sum))
        }
    });
    let (client, _server) = pair(world, router).await;
    let failed = futures::stream::once(async { Err(Status::aborted("the disk is full")) });
    let numbers = Streaming::new(forever().take(10).chain(failed));
    let call = client.client_stream::<Json<u64>, Json<u64>>(SERVICE, "Test.Sum", numbers);
    let status = call.timeout(PATIENCE).await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::Aborted, "the disk is full")
    );
    ended.fired().await;
    assert_eq!(finished.get(), 0);
}

/// A handler need not read all that its caller sends: its answer ends the call.
pub async fn a_handler_may_answer_before_it_has_read_all(world: &RpcWorld) {
    let router = Router::new()
        .client_stream(
            "Test.First",
            |_: Context, mut numbers: Streaming<Json<u64>>| async move {
                numbers
                    .next()
                    .await
                    .unwrap_or(Err(Status::out_of_range("no number")))
            },
        )
        .client_stream("Test.None", |_: Context, _: Streaming<Json<u64>>| async {
            Ok(Json(7_u64))
        });
    let (client, _server) = pair(world, router).await;
    for (endpoint, expected) in [("Test.First", 0), ("Test.None", 7)] {
        let call = client.client_stream::<_, Json<u64>>(SERVICE, endpoint, forever());
        assert_eq!(call.timeout(PATIENCE).await, Ok(Json(expected)), "{endpoint}");
    }
}

/// A call of one kind to an endpoint of another is answered: with what fits, or with an error that says so.
pub async fn a_call_of_another_kind_is_answered(world: &RpcWorld) {
    let (client, _server) = pair(world, router()).await;
    for endpoint in ["Test.Count", "Test.Echo"] {
        let call = client.unary::<_, Json<u64>>(SERVICE, endpoint, Json(1_u64));
        let status = call.timeout(PATIENCE).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{endpoint}: {status}");
    }
    assert_eq!(ask(&client, "Test.Sum", 5).await, Ok(5));
    let call = client.server_stream::<_, Json<u64>>(SERVICE, "Test.Sum", Json(5_u64));
    assert_eq!(
        call.timeout(PATIENCE).await.unwrap().collect().await,
        Ok(vec![Json(5)])
    );
    let call = client.server_stream::<_, Json<u64>>(SERVICE, "Test.Double", Json(5_u64));
    let outcome = call.timeout(PATIENCE).await.unwrap().collect().await;
    let status = outcome.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("call it as unary"), "{status}");
}

/// While nobody reads one stream, calls and other streams of the same client go on.
pub async fn an_unread_stream_does_not_stall_its_neighbours(world: &RpcWorld) {
    let router = router().server_stream("Test.Forever", |_: Context, _: Json<()>| async { Ok(forever()) });
    let (client, _server) = pair(world, router).await;
    let unread = client
        .server_stream::<_, Json<u64>>(SERVICE, "Test.Forever", Json(()))
        .await;
    for number in 0..500 {
        assert_eq!(ask(&client, "Test.Double", number).await, Ok(number * 2));
    }
    assert_eq!(sum_of(&client, 100).await, 5050);
    drop(unread);
}

async fn sum_of(client: &Client, to: u64) -> u64 {
    let call = client.client_stream(SERVICE, "Test.Sum", (1..=to).map(Json).collect());
    let Json(sum) = call.timeout(PATIENCE).await.unwrap();
    sum
}

/// A handler makes no more than a bounded number of messages that nobody reads, and none of them is lost.
pub async fn an_unread_stream_stops_its_handler(world: &RpcWorld) {
    let made = Runs::default();
    let runs = made.clone();
    let router = router().server_stream("Test.Forever", move |_: Context, _: Json<()>| {
        let runs = runs.clone();
        let numbers = forever().inspect(move |_| runs.count());
        async move { Ok(Streaming::new(numbers)) }
    });
    let (client, _server) = pair(world, router).await;
    let call = client.server_stream::<_, Json<u64>>(SERVICE, "Test.Forever", Json(()));
    let mut numbers = call.await.unwrap();
    // A thousand calls take longer than it takes to send what may wait.
    for number in 0..1000 {
        assert_eq!(ask(&client, "Test.Double", number).await, Ok(number * 2));
    }
    assert!(
        made.get() < 25_000,
        "{} messages were made for nobody",
        made.get()
    );
    for expected in 0..3 * MANY {
        assert_eq!(numbers.next().await, Some(Ok(Json(expected))));
    }
}
