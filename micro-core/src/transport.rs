//! The contract for synchronous sockets: dial, listen, accept, send, receive.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt};
use futures::{Sink, SinkExt, Stream};

use crate::address::Address;
use crate::error::{Error, Result};
use crate::message::{Message, Metadata};

/// Makes sockets between two ends, over whatever lies beneath.
///
/// A value that exists works: constructing it has connected it.
///
/// # Behavior
/// The clauses of `micro_conformance::transport`, by name, less what [`TransportCapabilities`] exclude:
/// - Messages: `messages_arrive_in_order`, `headers_and_body_arrive_unchanged`,
///   `a_message_at_the_limit_arrives`, `a_message_above_the_limit_is_resource_exhausted`,
///   `messages_fed_and_flushed_once_arrive`, `both_ends_send_at_once`, `halves_work_apart`,
///   `a_peer_of_which_nothing_is_known_is_understood`
/// - Addresses: `every_listener_has_an_address_of_its_own`, `a_given_address_is_listened_on`,
///   `a_taken_address_is_refused`, `an_address_with_a_wildcard_is_invalid_argument`,
///   `a_ready_listener_is_reached_at_once`, `each_end_names_the_other`, `dial_to_nobody_is_unavailable`,
///   `a_message_to_nobody_is_undelivered`, `a_cancelled_accept_loses_no_socket`,
///   `a_dropped_listener_frees_its_address`, `a_closed_listener_is_unavailable`,
///   `sockets_that_nobody_accepted_are_closed`, `an_accepted_socket_outlives_its_listener`
/// - Ends: `peer_close_ends_recv`, `peer_drop_ends_recv`, `what_was_sent_before_close_is_delivered`,
///   `what_was_sent_before_drop_is_delivered`, `what_was_sent_is_delivered_by_a_peer_that_did_not_read`,
///   `a_half_closed_socket_still_receives`, `dropping_the_sender_closes_half`,
///   `sending_after_finish_is_closed`, `finish_may_be_awaited_again`, `sending_to_a_closed_peer_fails`,
///   `undelivered_is_never_overstated`
/// - Pressure: `sockets_of_one_listener_are_apart`, `a_thousand_sockets_talk_at_once`,
///   `a_cancelled_recv_loses_nothing`, `a_cancelled_send_is_whole_or_nothing`,
///   `a_slow_reader_slows_its_writer`, `a_slow_reader_does_not_stall_its_neighbour`,
///   `a_reader_that_falls_behind_is_told`
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// The name by which a flag chooses it.
    fn name(&self) -> &'static str;

    /// What this backend can and cannot do.
    fn capabilities(&self) -> TransportCapabilities;

    /// Opens an address for others to dial. When this returns, whoever dials it reaches it.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`](crate::ErrorKind::AlreadyExists) when the address is taken (where the backend
    /// can know), [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when it cannot be listened on.
    async fn listen(&self, options: ListenOptions) -> Result<Listener>;

    /// Opens a socket to an address. May cost nothing: some backends first say who is there when you send.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when it is known that nobody listens.
    ///
    /// # Cancel safety
    /// Dropping the future leaves no socket behind.
    async fn dial(&self, address: &Address, options: DialOptions) -> Result<Socket>;
}

/// What a transport can and cannot do. Suites skip the clauses that a backend excludes here.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TransportCapabilities {
    /// A slow reader slows its writer. Without it, a reader that falls too far behind gets an error.
    pub flow_control: bool,
    /// A second listener on a taken address is refused.
    pub exclusive_addresses: bool,
    /// The largest message, in bytes of [`Message::size`]; `None` when only memory bounds it.
    pub max_message_size: Option<usize>,
}

impl TransportCapabilities {
    /// A slow reader slows its writer.
    #[must_use]
    pub fn with_flow_control(mut self) -> Self {
        self.flow_control = true;
        self
    }

    /// A second listener on a taken address is refused.
    #[must_use]
    pub fn with_exclusive_addresses(mut self) -> Self {
        self.exclusive_addresses = true;
        self
    }

    /// Larger messages are refused before anything is sent.
    #[must_use]
    pub fn with_max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = Some(bytes);
        self
    }
}

/// How to listen.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ListenOptions {
    /// The address to listen on; `None` lets the backend choose a unique one.
    pub address: Option<Address>,
}

impl ListenOptions {
    /// Listens on this address.
    #[must_use]
    pub fn with_address(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }
}

/// How to dial.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DialOptions {
    /// How long a dial may take. Default: 5 s.
    pub timeout: Duration,
    /// What the registry knows of the peer, from which the backend chooses how to speak to it. Empty means: a peer
    /// of which nothing is known, to which only what every go-micro peer understands is said.
    pub peer: Metadata,
}

impl Default for DialOptions {
    fn default() -> Self {
        DialOptions {
            timeout: Duration::from_secs(5),
            peer: Metadata::new(),
        }
    }
}

impl DialOptions {
    /// Bounds the dial.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Tells what is known of the peer: its node's metadata.
    #[must_use]
    pub fn with_peer(mut self, peer: Metadata) -> Self {
        self.peer = peer;
        self
    }
}

/// An open address: a stream of accepted sockets.
///
/// Dropping it frees the address and closes the sockets that nobody accepted. Accepted sockets live on.
pub struct Listener {
    address: Address,
    metadata: Metadata,
    incoming: BoxStream<'static, Result<Socket>>,
    leave: BoxFuture<'static, Result<()>>,
}

impl Listener {
    /// For backends: `incoming` releases the address when dropped; `leave` is awaited at most once, and resolves
    /// when no new socket and no message for an old one can arrive any more.
    pub fn new(
        address: Address,
        metadata: Metadata,
        incoming: impl Stream<Item = Result<Socket>> + Send + 'static,
        leave: impl Future<Output = Result<()>> + Send + 'static,
    ) -> Self {
        Listener {
            address,
            metadata,
            incoming: incoming.boxed(),
            leave: Box::pin(leave),
        }
    }

    /// Where others dial.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What a dialler should know of this listener; belongs into the node's metadata.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Waits for the next socket.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed) when nothing will come any more; what the backend reports
    /// otherwise, after which more may come.
    ///
    /// # Cancel safety
    /// Safe: a socket is either returned or still queued.
    pub async fn accept(&mut self) -> Result<Socket> {
        match self.incoming.next().await {
            Some(result) => result,
            None => Err(Error::closed("the listener has ended").with_operation("accept")),
        }
    }

    /// Frees the address, and reports.
    ///
    /// When it returns, whoever sends to the address gets [`Unavailable`](crate::ErrorKind::Unavailable), and what
    /// arrived before is in the sockets. Sockets that nobody accepted are closed.
    ///
    /// # Errors
    /// What the backend met while leaving; the address is given up all the same.
    ///
    /// # Cancel safety
    /// Dropping the future drops the listener.
    pub async fn close(self) -> Result<()> {
        self.leave.await
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

type BoxSink = Pin<Box<dyn Sink<Message, Error = Error> + Send>>;

/// One end of a conversation; both ends are the same type.
///
/// Dropping it closes both directions: the peer's `recv` ends after what was sent before.
#[derive(Debug)]
pub struct Socket {
    // Dropped first: whoever learns of the end by the sender's can then be told what was left unread.
    receiver: SocketReceiver,
    sender: SocketSender,
}

impl Socket {
    /// For backends: each half releases what it holds when dropped, and `outgoing` tells the peer when closed.
    pub fn new(
        local: Address,
        remote: Address,
        outgoing: impl Sink<Message, Error = Error> + Send + 'static,
        incoming: impl Stream<Item = Result<Message>> + Send + 'static,
    ) -> Self {
        Socket {
            sender: SocketSender {
                remote: remote.clone(),
                sink: Box::pin(outgoing),
            },
            receiver: SocketReceiver {
                local,
                remote,
                stream: incoming.boxed(),
            },
        }
    }

    /// This end.
    pub fn local(&self) -> &Address {
        &self.receiver.local
    }

    /// The other end.
    pub fn remote(&self) -> &Address {
        &self.receiver.remote
    }

    /// As [`SocketSender::send`].
    ///
    /// # Errors
    /// As [`SocketSender::send`].
    ///
    /// # Cancel safety
    /// The message is sent whole or not at all.
    pub async fn send(&mut self, message: Message) -> Result<()> {
        self.sender.send(message).await
    }

    /// As [`SocketReceiver::recv`].
    ///
    /// # Errors
    /// As [`SocketReceiver::recv`].
    ///
    /// # Cancel safety
    /// Safe: a message is either returned or still queued.
    pub async fn recv(&mut self) -> Option<Result<Message>> {
        self.receiver.recv().await
    }

    /// Two halves that live and end apart.
    pub fn split(self) -> (SocketSender, SocketReceiver) {
        (self.sender, self.receiver)
    }

    /// Flushes, tells the peer, and closes both directions.
    ///
    /// # Errors
    /// What was fed may not have left when this fails.
    ///
    /// # Cancel safety
    /// Dropping the future drops the socket.
    pub async fn close(self) -> Result<()> {
        let (mut sender, receiver) = self.split();
        drop(receiver);
        sender.finish().await
    }
}

/// The half that sends: a [`Sink`], so that a writer can feed everything it has and flush once.
///
/// Dropping it ends the peer's `recv`, after what was sent before: a half-close.
pub struct SocketSender {
    remote: Address,
    sink: BoxSink,
}

impl SocketSender {
    /// The other end.
    pub fn remote(&self) -> &Address {
        &self.remote
    }

    /// Sends one message and flushes.
    ///
    /// # Errors
    /// [`ResourceExhausted`](crate::ErrorKind::ResourceExhausted) when it is too large, and nothing of it was sent;
    /// [`Closed`](crate::ErrorKind::Closed) or [`Unavailable`](crate::ErrorKind::Unavailable) when the socket ended.
    ///
    /// # Cancel safety
    /// The message is sent whole or not at all.
    pub async fn send(&mut self, message: Message) -> Result<()> {
        self.sink.send(message).await
    }

    /// Flushes and ends this direction: the peer's `recv` ends after what was sent before.
    ///
    /// # Errors
    /// What was fed may not have left when this fails.
    ///
    /// # Cancel safety
    /// May be awaited again.
    pub async fn finish(&mut self) -> Result<()> {
        self.sink.close().await
    }
}

impl Sink<Message> for SocketSender {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Result<()>> {
        self.sink.poll_ready_unpin(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<()> {
        self.sink.start_send_unpin(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Result<()>> {
        self.sink.poll_flush_unpin(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Result<()>> {
        self.sink.poll_close_unpin(cx)
    }
}

impl fmt::Debug for SocketSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketSender")
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}

/// The half that receives: a [`Stream`] of messages, which ends when the peer closed its direction.
pub struct SocketReceiver {
    local: Address,
    remote: Address,
    stream: BoxStream<'static, Result<Message>>,
}

impl SocketReceiver {
    /// The other end.
    pub fn remote(&self) -> &Address {
        &self.remote
    }

    /// Waits for the next message; `None` when the peer closed its direction.
    ///
    /// # Errors
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the peer is gone: its
    /// [`undelivered`](Error::undelivered) says how many of the last messages sent certainly reached nobody.
    /// [`Malformed`](crate::ErrorKind::Malformed) when something arrived that cannot be read, after which more may
    /// come. [`Lagged`](crate::ErrorKind::Lagged) when this reader was too slow and messages were lost.
    ///
    /// # Cancel safety
    /// Safe: a message is either returned or still queued.
    pub async fn recv(&mut self) -> Option<Result<Message>> {
        self.stream.next().await
    }
}

impl Stream for SocketReceiver {
    type Item = Result<Message>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.stream.poll_next_unpin(cx)
    }
}

impl fmt::Debug for SocketReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketReceiver")
            .field("local", &self.local)
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}
