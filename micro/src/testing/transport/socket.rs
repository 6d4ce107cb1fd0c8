//! A socket with faults on its way in, and that can be cut.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::{FutureExt, Sink, SinkExt, future, stream};
use micro_core::transport::{SocketReceiver, SocketSender};
use micro_core::{Error, Message, Result, Socket};
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::testing::faults::Dice;
use crate::testing::held::Held;
use crate::testing::life::Life;
use crate::testing::link::{Link, Side};
use crate::testing::network::Traffic;

/// One end. Each direction has its faults at the end that receives.
pub(super) fn wrap(life: &Arc<Life>, link: Arc<Link>, side: Side, below: Socket) -> Socket {
    let (local, remote) = (below.local().clone(), below.remote().clone());
    let (sender, receiver) = below.split();
    let (closed, cut) = (sender.closed().shared(), link.clone());
    let closed = move || {
        let (closed, cut) = (closed.clone(), cut.until_cut());
        future::select(closed, Box::pin(cut)).map(drop).boxed()
    };
    let outgoing = Outgoing {
        below: sender,
        cut: Box::pin(link.until_cut()),
        link: link.clone(),
    };
    let incoming = Incoming {
        below: receiver,
        dice: life.network.dice(&format!("{side:?} {}", life.host)),
        life: life.clone(),
        link,
        held: Held::new(),
        phase: Phase::Open,
    };
    let incoming = stream::unfold(incoming, async |mut incoming| {
        let message = incoming.next().await?;
        Some((message, incoming))
    });
    Socket::new(local, remote, outgoing, incoming).with_closed(closed)
}

struct Outgoing {
    below: SocketSender,
    link: Arc<Link>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Outgoing {
    fn error(&self) -> Error {
        let error = self.link.error().with_operation("send");
        error.with_context("address", self.below.remote())
    }

    /// Asked before all else, so that a writer that waits learns of the cut.
    fn check(&mut self, cx: &mut Context<'_>) -> Result<()> {
        match self.link.is_cut() || self.cut.poll_unpin(cx).is_ready() {
            true => Err(self.error()),
            false => Ok(()),
        }
    }
}

impl Sink<Message> for Outgoing {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.check(cx)?;
        self.below.poll_ready_unpin(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<()> {
        match self.link.is_cut() {
            true => Err(self.error()),
            false => self.below.start_send_unpin(message),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.check(cx)?;
        self.below.poll_flush_unpin(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.below.poll_close_unpin(cx)
    }
}

struct Incoming {
    below: SocketReceiver,
    life: Arc<Life>,
    link: Arc<Link>,
    dice: Dice,
    held: Held<Arrival>,
    phase: Phase,
}

enum Arrival {
    Message(Result<Message>),
    /// Where one was lost.
    Loss,
}

#[derive(PartialEq)]
enum Phase {
    Open,
    /// Nothing more comes from below.
    Draining,
    /// The end was told.
    Over,
}

impl Incoming {
    async fn next(&mut self) -> Option<Result<Message>> {
        loop {
            if self.phase == Phase::Over {
                return None;
            }
            if self.link.is_cut() {
                return self.cut();
            }
            match self.held.take() {
                Some(Arrival::Message(message)) => return Some(message),
                Some(Arrival::Loss) => self.link.cut("a message was lost, as the testbed was told"),
                None if self.phase == Phase::Draining && self.held.is_empty() => return None,
                None => self.wait().await,
            }
        }
    }

    async fn wait(&mut self) {
        tokio::select! {
            biased;
            () = self.link.until_cut() => {}
            () = self.held.wait() => {}
            message = self.below.recv(), if self.phase == Phase::Open && self.held.has_room() => match message {
                Some(message) => self.arrive(message),
                None => self.phase = Phase::Draining,
            },
        }
    }

    fn arrive(&mut self, message: Result<Message>) {
        let fate = self.dice.roll(&self.life.network.faults(Traffic::Sockets));
        let arrival = match message {
            Ok(_) if fate.lost => Arrival::Loss,
            message => Arrival::Message(message),
        };
        self.held.hold(arrival, fate.delay);
    }

    fn cut(&mut self) -> Option<Result<Message>> {
        self.phase = Phase::Over;
        Some(Err(self.link.error().with_operation("recv")))
    }
}
