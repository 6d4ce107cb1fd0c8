//! Nodes that a clause plays by hand, message by message: what they may say, and what they must not be told.

use std::time::{Duration, Instant};

use micro_core::client::Stub;
use micro_core::codec::Marshaller;
use micro_core::observe::{Loss, losses};
use micro_core::rpc::{FEATURES, FEATURES_KEY, Method, Unary};
use micro_core::{Client, Code, Json, ListenOptions, Listener, Message, Metadata, Socket, Status};
use tokio::task::JoinHandle;

use super::RpcWorld;
use super::handlers::forever;
use super::stage::{AT_ONCE, Listed, PATIENCE, Process, SERVICE, ask};
use crate::value::attempt;

/// A node that a clause plays, and a client that calls it.
pub(super) struct Stage {
    pub(super) client: Client,
    pub(super) listener: Listener,
    _listed: Listed,
}

/// What a node says of itself.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Says {
    /// That it understands what goes beyond go-micro.
    Everything,
    /// Nothing, as a go-micro peer does.
    Nothing,
}

impl Stage {
    pub(super) async fn open(world: &RpcWorld, says: Says) -> Self {
        let features = (says == Says::Everything).then_some(FEATURES);
        Stage::saying(world, features).await
    }

    /// With a node that understands what goes beyond go-micro in that version.
    pub(super) async fn saying(world: &RpcWorld, features: Option<&str>) -> Self {
        let (here, there) = (Process::open(world).await, Process::open(world).await);
        let listener = there.transport.listen(ListenOptions::default()).await.unwrap();
        let mut metadata = Metadata::new();
        if let Some(features) = features {
            metadata = listener.metadata().clone();
            metadata.insert(FEATURES_KEY.to_owned(), features.to_owned());
        }
        let listed = there.list("node", listener.address().as_str(), metadata).await;
        Stage {
            client: here.client(),
            listener,
            _listed: listed,
        }
    }

    fn call(&self, number: u64) -> JoinHandle<Result<u64, Status>> {
        let client = self.client.clone();
        tokio::spawn(async move { ask(&client, "Test.Double", number).await })
    }

    /// Makes a call that runs out of time, and returns the socket on which it came, and its request.
    async fn expire(&mut self) -> (Socket, Message) {
        let client = self.client.clone();
        let call = client.unary::<_, Json<u64>>(SERVICE, "Test.Double", Json(1_u64));
        let call = tokio::spawn(async move { call.timeout(Duration::from_secs(1)).await });
        let mut socket = self.listener.accept().await.unwrap();
        let request = receive(&mut socket).await;
        let status = call.await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
        (socket, request)
    }
}

pub(super) async fn receive(socket: &mut Socket) -> Message {
    socket.recv().await.expect("a message").expect("no error")
}

/// The next message that is a request of the clause: not a word about one, and not the question whether anybody is
/// there, put as go-micro answers it.
async fn request(socket: &mut Socket) -> Message {
    loop {
        let message = receive(socket).await;
        if message.headers.get("Micro-Service") == Some(SERVICE) {
            return message;
        }
    }
}

/// An answer as go-micro sends it.
pub(super) fn answer(request: &Message, body: &str) -> Message {
    let id = request.headers.get("Micro-ID").expect("an id").to_owned();
    Message::new(body.to_owned())
        .with_header("Content-Type", "application/json")
        .with_header("Micro-ID", id)
}

/// An answer that comes after its caller has gone reaches nobody, and the next call on the socket gets its own.
pub async fn a_late_answer_is_dropped(world: &RpcWorld) {
    for says in [Says::Everything, Says::Nothing] {
        let mut stage = Stage::open(world, says).await;
        let (mut socket, late) = stage.expire().await;
        let before = losses().get(Loss::Late);
        let call = stage.call(2);
        let next = request(&mut socket).await;
        socket.send(answer(&late, "666")).await.unwrap();
        socket.send(answer(&next, "4")).await.unwrap();
        assert_eq!(call.await.unwrap(), Ok(4));
        assert!(losses().get(Loss::Late) > before, "it is in no count");
    }
}

/// Answers that nobody asked for are dropped: a second one, one for an unknown call, one that is none.
pub async fn answers_that_nobody_asked_for_are_dropped(world: &RpcWorld) {
    let mut stage = Stage::open(world, Says::Everything).await;
    let call = stage.call(1);
    let mut socket = stage.listener.accept().await.unwrap();
    let first = receive(&mut socket).await;
    for message in [answer(&first, "2"), answer(&first, "666")] {
        socket.send(message).await.unwrap();
    }
    assert_eq!(call.await.unwrap(), Ok(2));
    let calls = [stage.call(2), stage.call(3)];
    let requests = [request(&mut socket).await, request(&mut socket).await];
    let bodies = requests.iter().map(|request| match request.body[0] {
        b'2' => "4",
        _ => "6",
    });
    for stray in [
        answer(&first, "666"),
        Message::new("666").with_header("Micro-ID", "4000000000"),
        Message::new("666").with_header("Micro-ID", "no number"),
        Message::new("666"),
        Message::default(),
    ] {
        socket.send(stray).await.unwrap();
    }
    for (request, body) in requests.iter().zip(bodies) {
        socket.send(answer(request, body)).await.unwrap();
    }
    for (call, expected) in calls.into_iter().zip([4, 6]) {
        assert_eq!(call.await.unwrap(), Ok(expected));
    }
}

/// A peer that closes with a call in its hands ends that call at once, and it is not made again.
pub async fn a_peer_that_closes_ends_its_calls(world: &RpcWorld) {
    let mut stage = Stage::open(world, Says::Everything).await;
    let call = stage.call(1);
    let mut socket = stage.listener.accept().await.unwrap();
    receive(&mut socket).await;
    let start = Instant::now();
    drop(socket);
    let status = call.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert!(!status.is_never_delivered());
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
    assert!(attempt(stage.listener.accept()).await.is_none());
    // The client has not given up the node: it dials again.
    let call = stage.call(2);
    let mut socket = stage.listener.accept().await.unwrap();
    let request = receive(&mut socket).await;
    socket.send(answer(&request, "4")).await.unwrap();
    assert_eq!(call.await.unwrap(), Ok(4));
}

/// A call that may run twice is made again after its socket broke, also where there is but one node: it may be as well
/// as before.
pub async fn an_idempotent_call_is_made_again_on_a_new_socket(world: &RpcWorld) {
    let mut stage = Stage::open(world, Says::Everything).await;
    let call = stage
        .client
        .unary::<_, Json<u64>>(SERVICE, "Test.Double", Json(2_u64));
    let call = call.idempotent().timeout(PATIENCE);
    let call = tokio::spawn(async move { call.await });
    let mut socket = stage.listener.accept().await.unwrap();
    receive(&mut socket).await;
    drop(socket);
    let mut socket = stage.listener.accept().await.unwrap();
    let again = receive(&mut socket).await;
    socket.send(answer(&again, "4")).await.unwrap();
    assert_eq!(call.await.unwrap(), Ok(Json(4)));
}

/// What a method says of all its calls holds for each: that it may run twice.
pub async fn an_idempotent_method_is_made_again(world: &RpcWorld) {
    const DOUBLE: Method<Unary, u64, u64> =
        Method::new("Test.Double", Marshaller::json(), Marshaller::json()).idempotent();
    let mut stage = Stage::open(world, Says::Everything).await;
    let call = Stub::new(&stage.client, SERVICE)
        .unary(&DOUBLE, 2)
        .timeout(PATIENCE);
    let call = tokio::spawn(async move { call.await });
    let mut socket = stage.listener.accept().await.unwrap();
    receive(&mut socket).await;
    drop(socket);
    let mut socket = stage.listener.accept().await.unwrap();
    let again = receive(&mut socket).await;
    socket.send(answer(&again, "4")).await.unwrap();
    assert_eq!(call.await.unwrap(), Ok(4));
}

/// A call says how often it may be made again after it may have run: as often, and no more. With 0 it is not, whatever
/// the client does.
pub async fn a_call_is_made_again_as_often_as_it_says(world: &RpcWorld) {
    for times in [0, 3] {
        let mut stage = Stage::open(world, Says::Everything).await;
        let call = stage
            .client
            .unary::<_, Json<u64>>(SERVICE, "Test.Double", Json(2_u64));
        let call = call.retry(times).timeout(PATIENCE);
        let call = tokio::spawn(async move { call.await });
        for _ in 0..=times {
            let mut socket = stage.listener.accept().await.unwrap();
            receive(&mut socket).await;
        }
        let status = call.await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{status}");
        assert!(attempt(stage.listener.accept()).await.is_none());
    }
}

/// To a peer that does not say that it understands more, nothing is said that go-micro does not say.
pub async fn nothing_beyond_go_micro_is_said_to_others(world: &RpcWorld) {
    let mut stage = Stage::open(world, Says::Nothing).await;
    let (mut socket, _) = stage.expire().await;
    let call = stage.call(2);
    let next = loop {
        let message = receive(&mut socket).await;
        assert!(message.headers.contains("Micro-Endpoint"), "{message:?}");
        if message.headers.get("Micro-Service") == Some(SERVICE) {
            break message;
        }
    };
    socket.send(answer(&next, "4")).await.unwrap();
    assert_eq!(call.await.unwrap(), Ok(4));

    let call = stage
        .client
        .bidi_stream::<Json<u64>, Json<u64>>(SERVICE, "Test.Echo", forever());
    let answers = call.timeout(PATIENCE).await.unwrap();
    let mut socket = stage.listener.accept().await.unwrap();
    let opening = receive(&mut socket).await;
    socket.send(answer(&opening, "0")).await.unwrap();
    drop(answers);
    let last = loop {
        let message = receive(&mut socket).await;
        assert!(!message.headers.contains("Micro-Control"), "{message:?}");
        if message.headers.contains("Micro-Error") {
            break message;
        }
    };
    assert_eq!(last.headers.get("Micro-Error"), Some("EOS"));
    assert_eq!(
        last.headers.get("Micro-Stream"),
        opening.headers.get("Micro-Stream")
    );
}

/// A request says what go-micro's servers need: names, id, encoding and time, each in its spelling.
pub async fn a_request_says_what_go_micro_needs(world: &RpcWorld) {
    for says in [Says::Everything, Says::Nothing] {
        let mut stage = Stage::open(world, says).await;
        let call = stage.call(21);
        let mut socket = stage.listener.accept().await.unwrap();
        let request = receive(&mut socket).await;
        let header = |name| {
            request
                .headers
                .get(name)
                .unwrap_or_else(|| panic!("no {name}: {request:?}"))
        };
        assert_eq!(header("Micro-Service"), SERVICE);
        assert_eq!(header("Micro-Endpoint"), "Test.Double");
        assert_eq!(header("Content-Type"), "application/json");
        header("Micro-ID").parse::<u64>().unwrap();
        let timeout = Duration::from_nanos(header("Timeout").parse().unwrap());
        assert!(timeout <= PATIENCE && timeout > PATIENCE / 2, "{timeout:?}");
        assert!(!request.headers.contains("Micro-Protocol") && !request.headers.contains("Micro-Target"));
        if says == Says::Nothing {
            assert_eq!(header("Micro-Method"), "Test.Double");
            assert_eq!(header("Micro-Id"), header("Micro-ID"));
            assert_eq!(header("Accept"), "application/json");
        }
        assert_eq!(request.body, "21\n");
        socket.send(answer(&request, "42")).await.unwrap();
        assert_eq!(call.await.unwrap(), Ok(42));
    }
}
