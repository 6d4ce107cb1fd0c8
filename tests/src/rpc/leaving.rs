//! Callers that go away before they have their answer.

use std::task::Poll;

use futures::StreamExt;
use futures::stream;
use micro_core::{Client, Context, Json, Router, ServerOptions, Status, Streaming};

use super::RpcWorld;
use super::handlers::{Signal, forever, gate, router};
use super::stage::{PATIENCE, Process, SERVICE, ask, pair};

/// A unary call whose future is dropped ends its handler.
pub async fn a_dropped_call_cancels_its_handler(world: &RpcWorld) {
    let (mut gate, router) = gate();
    let (client, _server) = pair(world, router).await;
    let call = ask(&client, "Test.Wait", 1);
    let arrival = tokio::select! {
        answer = call => panic!("{answer:?}"),
        arrival = gate.arrival() => arrival,
    };
    arrival.ended().await;
    assert!(arrival.context.is_cancelled());
}

/// Of the calls that share a socket, only the dropped ones end.
pub async fn a_dropped_call_spares_its_neighbours(world: &RpcWorld) {
    let (mut gate, router) = gate();
    let (client, _server) = pair(world, router).await;
    let calls: Vec<_> = (0..100_u64)
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move { ask(&client, "Test.Wait", number).await })
        })
        .collect();
    let arrivals = gate.arrivals(calls.len()).await;
    for call in calls.iter().step_by(2) {
        call.abort();
    }
    for arrival in arrivals {
        match arrival.number % 2 {
            0 => arrival.ended().await,
            _ => arrival.answer(),
        }
    }
    for (number, call) in calls.into_iter().enumerate() {
        match number % 2 {
            0 => assert!(call.await.is_err_and(|error| error.is_cancelled())),
            _ => assert_eq!(call.await.unwrap(), Ok(number as u64 * 10)),
        }
    }
}

/// A call that its task has begun, and does not look after, holds up no other one on its socket.
pub async fn a_call_that_is_not_polled_holds_up_no_other(world: &RpcWorld) {
    let (mut gate, waits) = gate();
    let (client, _server) = pair(world, router().merge(waits)).await;
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
    let mut idle = Box::pin(ask(&client, "Test.Wait", 7));
    let arrival = tokio::select! {
        answer = &mut idle => panic!("{answer:?}"),
        arrival = gate.arrival() => arrival,
    };
    for number in 0..10 {
        assert_eq!(ask(&client, "Test.Double", number).await, Ok(number * 2));
    }
    arrival.answer();
    assert_eq!(ask(&client, "Test.Double", 21).await, Ok(42));
    assert_eq!(idle.await, Ok(70));
}

/// `Test.Hang` for each kind of stream: it begins, fires the first signal, hangs, and fires the second at its end.
fn hanging() -> (Signal, Signal, Router) {
    let (begun, ended) = (Signal::default(), Signal::default());
    let signals = (begun.clone(), ended.clone());
    let answers = move || {
        let guard = signals.1.on_drop();
        signals.0.fire();
        forever().take(1).chain(stream::pending()).map(move |number| {
            let _guard = &guard;
            number
        })
    };
    let (of_server, of_both) = (answers.clone(), answers);
    let signals = (begun.clone(), ended.clone());
    let router = Router::new()
        .server_stream("Hang.Server", move |_: Context, _: Json<()>| {
            let answers = of_server();
            async move { Ok(Streaming::new(answers)) }
        })
        .bidi_stream("Hang.Both", move |_: Context, _: Streaming<Json<u64>>| {
            let answers = of_both();
            async move { Ok(Streaming::new(answers)) }
        })
        .client_stream("Hang.Client", move |_: Context, _: Streaming<Json<u64>>| {
            let guard = signals.1.on_drop();
            signals.0.fire();
            async move {
                let _guard = guard;
                std::future::pending::<Result<Json<u64>, Status>>().await
            }
        });
    (begun, ended, router)
}

/// Dropping the answers of a server stream, read in part, ends its handler.
pub async fn a_dropped_server_stream_cancels_its_handler(world: &RpcWorld) {
    let (begun, ended, router) = hanging();
    let (client, _server) = pair(world, router).await;
    let call = client.server_stream::<_, Json<u64>>(SERVICE, "Hang.Server", Json(()));
    let mut answers = call.await.unwrap();
    begun.fired().await;
    assert_eq!(answers.next().await, Some(Ok(Json(0))));
    drop(answers);
    ended.fired().await;
}

/// Dropping the call of a client stream ends its handler, and drops what was to be sent.
pub async fn a_dropped_client_stream_cancels_its_handler(world: &RpcWorld) {
    let (begun, ended, router) = hanging();
    let (client, _server) = pair(world, router).await;
    let released = Signal::default();
    let guard = released.on_drop();
    let endless = forever().take(2).chain(stream::pending()).map(move |number| {
        let _guard = &guard;
        number
    });
    let call = client.client_stream::<_, Json<u64>>(SERVICE, "Hang.Client", Streaming::new(endless));
    tokio::select! {
        answer = async { call.await } => panic!("{answer:?}"),
        () = begun.fired() => {}
    }
    ended.fired().await;
    released.fired().await;
}

/// The same when the handler's queue is full, and its server waits for room in it.
pub async fn a_dropped_client_stream_cancels_a_handler_that_does_not_read(world: &RpcWorld) {
    let (begun, ended, sent) = (Signal::default(), Signal::default(), Signal::default());
    let signals = (begun.clone(), ended.clone());
    let router =
        Router::new().client_stream("Hang.Unread", move |_: Context, unread: Streaming<Json<u64>>| {
            let guard = signals.1.on_drop();
            signals.0.fire();
            async move {
                let _kept = (guard, unread);
                std::future::pending::<Result<Json<u64>, Status>>().await
            }
        });
    let (here, there) = (Process::open(world).await, Process::open(world).await);
    let options = ServerOptions::default().with_stream_capacity(1);
    let _server = there.serve_with("node", router, options).await;
    let (client, all_sent) = (here.client(), sent.clone());
    let numbers = forever().take(50).chain(stream::poll_fn(move |_| {
        all_sent.fire();
        Poll::Pending
    }));
    let call = client.client_stream::<_, Json<u64>>(SERVICE, "Hang.Unread", Streaming::new(numbers));
    tokio::select! {
        answer = async { call.await } => panic!("{answer:?}"),
        () = async { tokio::join!(begun.fired(), sent.fired()); } => {}
    }
    ended.fired().await;
}

/// Dropping the answers of a bidirectional stream ends its handler, though the caller has more to send.
pub async fn a_dropped_bidi_stream_cancels_its_handler(world: &RpcWorld) {
    let (begun, ended, router) = hanging();
    let (client, _server) = pair(world, router).await;
    let numbers = Streaming::new(forever().take(2).chain(stream::pending()));
    let call = client.bidi_stream::<Json<u64>, Json<u64>>(SERVICE, "Hang.Both", numbers);
    let mut answers = call.await.unwrap();
    begun.fired().await;
    assert_eq!(answers.next().await, Some(Ok(Json(0))));
    drop(answers);
    ended.fired().await;
}

/// A stream without an end is made only as long as somebody reads it.
pub async fn an_endless_stream_ends_with_its_reader(world: &RpcWorld) {
    let ended = Signal::default();
    let on_end = ended.clone();
    let router = router().server_stream("Test.Forever", move |_: Context, _: Json<()>| {
        let guard = on_end.on_drop();
        let numbers = forever().map(move |number| {
            let _guard = &guard;
            number
        });
        async move { Ok(Streaming::new(numbers)) }
    });
    let (client, _server) = pair(world, router).await;
    let call = client.server_stream::<_, Json<u64>>(SERVICE, "Test.Forever", Json(()));
    let mut numbers = call.await.unwrap();
    for expected in 0..10 {
        assert_eq!(numbers.next().await, Some(Ok(Json(expected))));
    }
    drop(numbers);
    ended.fired().await;
    assert_eq!(ask(&client, "Test.Double", 1).await, Ok(2));
}

/// Who gives up a call gives up the calls that were made for it, however deep.
pub async fn a_dropped_call_cancels_the_calls_made_for_it(world: &RpcWorld) {
    let (mut gate, router) = gate();
    let process = Process::open(world).await;
    let client = process.client();
    let router = ["Test.Wait", "Depth.One", "Depth.Two"]
        .windows(2)
        .fold(router, |router, pair| {
            nesting(router, &client, pair[1].to_owned(), pair[0].to_owned())
        });
    let _server = process.serve("node", router).await;
    let call = ask(&client, "Depth.Two", 7);
    let arrival = tokio::select! {
        answer = call => panic!("{answer:?}"),
        arrival = gate.arrival() => arrival,
    };
    assert_eq!(arrival.number, 7);
    arrival.ended().await;
    assert!(arrival.context.is_cancelled());
}

/// An endpoint that answers with what another answers.
fn nesting(router: Router, client: &Client, endpoint: String, inner: String) -> Router {
    let client = client.clone();
    router.unary(&endpoint, move |context: Context, number: Json<u64>| {
        let call = client.unary(SERVICE, inner.clone(), number).context(&context);
        async move { call.timeout(PATIENCE).await as Result<Json<u64>, Status> }
    })
}
