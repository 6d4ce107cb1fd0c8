//! Two ends of a socket, each in an instance of its own, and short words for what clauses do with them.

use std::sync::Arc;

use futures::Stream;
use futures::StreamExt;
use micro_core::{Address, DialOptions, Error, ListenOptions, Listener, Message, Result, Socket, Transport};

use super::TransportWorld;

/// Two instances, and a listener in one of them.
pub(super) struct Sides {
    pub(super) here: Arc<dyn Transport>,
    pub(super) there: Arc<dyn Transport>,
    pub(super) listener: Listener,
}

pub(super) async fn sides(world: &TransportWorld) -> Sides {
    let (here, there) = (world.open().await, world.open().await);
    let listener = listen(&there).await;
    Sides {
        here,
        there,
        listener,
    }
}

impl Sides {
    /// Dials, and sends one message, before which some backends know nothing of a socket.
    pub(super) async fn dial(&self) -> Socket {
        let mut near = self
            .here
            .dial(self.listener.address(), peer(&self.listener))
            .await
            .unwrap();
        near.send(Message::new("hello")).await.unwrap();
        near
    }

    /// The next accepted socket, which said hello.
    pub(super) async fn accept(&mut self) -> Socket {
        let mut far = self.listener.accept().await.unwrap();
        assert_eq!(receive(&mut far).await.body, "hello");
        far
    }

    pub(super) async fn connect(&mut self) -> (Socket, Socket) {
        let near = self.dial().await;
        (near, self.accept().await)
    }
}

/// Two ends of one socket, and what they stand on.
pub(super) async fn pair(world: &TransportWorld) -> (Socket, Socket, Sides) {
    let mut sides = sides(world).await;
    let (near, far) = sides.connect().await;
    (near, far, sides)
}

pub(super) async fn listen(transport: &Arc<dyn Transport>) -> Listener {
    transport.listen(ListenOptions::default()).await.unwrap()
}

/// What a client that found the listener's node in a registry dials with.
pub(super) fn peer(listener: &Listener) -> DialOptions {
    DialOptions::default().with_peer(listener.metadata().clone())
}

/// An address that was listened on, by another instance, and is free.
pub(super) async fn vacant(world: &TransportWorld) -> (Address, DialOptions) {
    let transport = world.open().await;
    let listener = listen(&transport).await;
    let (address, options) = (listener.address().clone(), peer(&listener));
    listener.close().await.unwrap();
    (address, options)
}

/// What whoever dials that address and sends one message is told, and whether the message was taken.
pub(super) async fn refusal(
    transport: &Arc<dyn Transport>,
    address: &Address,
    options: DialOptions,
) -> (Error, bool) {
    let mut socket = match transport.dial(address, options).await {
        Ok(socket) => socket,
        Err(error) => return (error, false),
    };
    if let Err(error) = socket.send(Message::new("hello")).await {
        return (error, false);
    }
    match socket.recv().await {
        Some(Err(error)) => (error, true),
        other => panic!("expected an error, got {other:?}"),
    }
}

/// As [`refusal`], of an address that may still be listened on.
pub(super) async fn refused(
    transport: &Arc<dyn Transport>,
    address: &Address,
    options: DialOptions,
) -> Option<Error> {
    let mut socket = match transport.dial(address, options).await {
        Ok(socket) => socket,
        Err(error) => return Some(error),
    };
    match socket.send(Message::new("hello")).await {
        Ok(()) => last_error(&mut socket).await,
        Err(error) => Some(error),
    }
}

/// The next message, of a socket that has not ended.
pub(super) async fn receive(socket: &mut Socket) -> Message {
    expect_message(socket.recv().await)
}

pub(super) fn expect_message(received: Option<Result<Message>>) -> Message {
    match received {
        Some(Ok(message)) => message,
        other => panic!("expected a message, got {other:?}"),
    }
}

/// Everything that comes before the end; an error is one.
pub(super) async fn rest(messages: impl Stream<Item = Result<Message>>) -> Vec<Message> {
    messages
        .map(|message| message.expect("a message, or the end"))
        .collect()
        .await
}

/// The error with which a socket ends after its messages, if any.
pub(super) async fn last_error(socket: &mut Socket) -> Option<Error> {
    loop {
        match socket.recv().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Some(error),
            None => return None,
        }
    }
}
