//! What comes in on one end of a socket: checked, and kept until it is read.

use std::collections::VecDeque;

use bytes::Bytes;
use micro_core::Error;

use super::breach::Breach;
use super::frame::{self, Frame, Hello, Reason};
use super::packet::Packet;
use super::window::{self, Window};
use crate::ending::{Ending, Entry, Step};

/// The receiving side of one end.
#[derive(Debug)]
pub(crate) struct Incoming {
    queue: VecDeque<Item>,
    /// The number of the next packet.
    expected: u64,
    window: Window,
    /// The largest content of a message that is put together.
    max_content: u64,
    pieces: Option<Pieces>,
    /// Whether the reader is at work on something that it was given.
    lent: bool,
    pub(crate) ending: Ending,
}

/// Something to read, and what it costs until it has been read.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) what: What,
    cost: u64,
    messages: u64,
}

#[derive(Debug)]
pub(crate) enum What {
    /// Frames, of which those that are messages count.
    Frames(Bytes),
    /// The pieces of one message, and their length together.
    Pieces(Vec<Bytes>, usize),
}

/// A message of which a part has come.
#[derive(Debug)]
struct Pieces {
    all: Vec<Bytes>,
    missing: u64,
    len: usize,
    /// What of its cost has not been given back, because earlier messages still wait.
    held: u64,
}

/// What a packet had beside messages.
#[derive(Debug, Default)]
pub(crate) struct News<'a> {
    pub(crate) hello: Option<Hello<'a>>,
    pub(crate) credit: Option<(u64, u64)>,
    pub(crate) stop: Option<u64>,
    pub(crate) fin: bool,
    pub(crate) reset: Option<(Reason, &'a str)>,
    pub(crate) goaway: bool,
    pub(crate) ping: bool,
    /// How far the other end has to be told that it may send.
    pub(crate) grant: Option<u64>,
}

/// Which way a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The socket's own, where all messages come, in order.
    Socket,
    /// The home of a listener that has left its address: no messages, and in no order.
    Home,
}

/// What the reader finds.
#[derive(Debug)]
pub(crate) enum Next {
    /// Something to read.
    Item(Item),
    /// Nothing yet.
    Wait,
    /// What reached nobody has to be found out.
    Settle,
    /// The reason for an end.
    Error(Error),
    /// The end.
    End,
}

impl From<Step> for Next {
    fn from(step: Step) -> Self {
        match step {
            Step::Wait => Next::Wait,
            Step::Settle => Next::Settle,
            Step::Error(error) => Next::Error(error),
            Step::End => Next::End,
        }
    }
}

impl Item {
    pub(crate) fn cost(&self) -> u64 {
        self.cost
    }
}

impl Incoming {
    pub(crate) fn new(window: u64, max_content: u64) -> Self {
        Incoming {
            queue: VecDeque::new(),
            expected: 0,
            window: Window::new(window),
            max_content,
            pieces: None,
            lent: false,
            ending: Ending::default(),
        }
    }

    /// Takes a packet in.
    ///
    /// # Errors
    /// What the peer did that ends the socket.
    pub(crate) fn take<'a>(&mut self, packet: &'a Packet, way: Way) -> Result<News<'a>, Breach> {
        if self.ending.has_failed() {
            // What follows a breach is none of its own.
            return Ok(News::default());
        }
        let mut rest = &packet.frames[..];
        // Whoever knows nothing of this socket does not know the number either.
        if let Some(Frame::Reset(reason, text)) = frame::take(&mut &*rest) {
            return Ok(News {
                reset: Some((reason, text)),
                ..News::default()
            });
        }
        if way == Way::Socket {
            self.check_number(packet.number)?;
        }
        let mut news = News::default();
        let mut run = Run::new(rest);
        while !rest.is_empty() {
            let before = rest;
            match frame::take(&mut rest).ok_or(Breach::Malformed)? {
                Frame::Message(_) | Frame::First(..) | Frame::More(_) if way == Way::Home => {
                    return Err(Breach::Malformed);
                }
                Frame::Message(content) => {
                    self.receive(window::cost(content.len()))?;
                    run.add(window::cost(content.len()));
                }
                Frame::First(total, piece) => {
                    self.push_run(&run, before, packet);
                    self.begin_pieces(total)?;
                    self.take_piece(piece, window::cost(piece.len()), packet, &mut news)?;
                    run = Run::new(rest);
                }
                Frame::More(piece) => {
                    self.push_run(&run, before, packet);
                    self.take_piece(piece, piece.len() as u64, packet, &mut news)?;
                    run = Run::new(rest);
                }
                word => news.note(word, way),
            }
        }
        self.push_run(&run, rest, packet);
        Ok(news)
    }

    fn check_number(&mut self, number: u64) -> Result<(), Breach> {
        if number != self.expected {
            return Err(match number > self.expected {
                true => Breach::Gap,
                false => Breach::Repeated,
            });
        }
        self.expected += 1;
        Ok(())
    }

    fn receive(&mut self, cost: u64) -> Result<(), Breach> {
        match self.window.receive(cost) {
            // A message between the pieces of another.
            true if self.pieces.is_some() => Err(Breach::Malformed),
            true => Ok(()),
            false => Err(Breach::Overflow),
        }
    }

    fn begin_pieces(&mut self, total: u64) -> Result<(), Breach> {
        if self.pieces.is_some() {
            return Err(Breach::Malformed);
        }
        if total > self.max_content {
            return Err(Breach::TooLarge);
        }
        self.pieces = Some(Pieces {
            all: Vec::new(),
            missing: total,
            len: 0,
            held: 0,
        });
        Ok(())
    }

    fn take_piece(
        &mut self,
        piece: &[u8],
        cost: u64,
        packet: &Packet,
        news: &mut News<'_>,
    ) -> Result<(), Breach> {
        if !self.window.receive(cost) {
            return Err(Breach::Overflow);
        }
        let pieces = self.pieces.as_mut().ok_or(Breach::Malformed)?;
        let missing = pieces.missing.checked_sub(piece.len() as u64);
        pieces.missing = missing.ok_or(Breach::Malformed)?;
        pieces.len += piece.len();
        pieces.held += cost;
        if self.ending.entry() == Entry::Open {
            pieces.all.push(packet.frames.slice_ref(piece));
        }
        // While nothing waits before it, its pieces cost nothing: so it can be larger than the window.
        if self.queue.is_empty() && !self.lent {
            let held = std::mem::take(&mut pieces.held);
            news.grant = self.window.consume(held).or(news.grant);
        }
        self.end_pieces();
        Ok(())
    }

    fn end_pieces(&mut self) {
        if let Some(pieces) = self.pieces.take_if(|pieces| pieces.missing == 0) {
            self.push(Item {
                what: What::Pieces(pieces.all, pieces.len),
                cost: pieces.held,
                messages: 1,
            });
        }
    }

    /// The messages of a run wait together.
    fn push_run(&mut self, run: &Run<'_>, rest: &[u8], packet: &Packet) {
        let end = run.start.len() - rest.len();
        if run.messages > 0 {
            self.push(Item {
                what: What::Frames(packet.frames.slice_ref(&run.start[..end])),
                cost: run.cost,
                messages: run.messages,
            });
        }
    }

    fn push(&mut self, item: Item) {
        if self.ending.entry() == Entry::Open {
            self.queue.push_back(item);
        }
    }

    /// What the reader gets, who is done with what cost `done`; and how far the other end may send, when it has to be
    /// told.
    pub(crate) fn next(&mut self, done: u64) -> (Next, Option<u64>) {
        let mut done = done;
        let item = self.queue.pop_front();
        self.lent = item.is_some();
        if let (None, Some(pieces)) = (&item, &mut self.pieces) {
            done += std::mem::take(&mut pieces.held);
        }
        let grant = match done {
            0 => None,
            done => self.window.consume(done),
        };
        match item {
            Some(item) => (Next::Item(item), grant),
            None => {
                if self.queue.capacity() > 0 {
                    self.queue = VecDeque::new();
                }
                (self.ending.step().into(), grant)
            }
        }
    }

    /// The reader leaves; whether the writer has to be told.
    pub(crate) fn abandon(&mut self, unread: bool) -> bool {
        let waiting: u64 = self.queue.iter().map(|item| item.messages).sum();
        self.queue = VecDeque::new();
        if let Some(pieces) = &mut self.pieces {
            pieces.all = Vec::new();
        }
        self.ending.abandon() || unread || waiting > 0
    }

    /// Whether a reader would find something.
    pub(crate) fn has_something(&self) -> bool {
        !self.queue.is_empty()
    }

    /// How many packets have come, and how far the other end may send.
    pub(crate) fn taken(&self) -> (u64, u64) {
        (self.expected, self.window.granted())
    }

    /// Whether an end that was told nothing may soon have to wait for it.
    pub(crate) fn is_news(&self) -> bool {
        self.window.is_news()
    }
}

/// Frames that follow each other and have messages.
struct Run<'a> {
    start: &'a [u8],
    cost: u64,
    messages: u64,
}

impl<'a> Run<'a> {
    fn new(start: &'a [u8]) -> Self {
        Run {
            start,
            cost: 0,
            messages: 0,
        }
    }

    fn add(&mut self, cost: u64) {
        self.cost += cost;
        self.messages += 1;
    }
}

impl<'a> News<'a> {
    /// Notes what is no message.
    fn note(&mut self, word: Frame<'a>, way: Way) {
        match word {
            Frame::Hello(hello) => self.hello = Some(hello),
            Frame::Credit { limit, packets } => self.credit = Some((limit, packets)),
            Frame::Fin if way == Way::Socket => self.fin = true,
            Frame::Stop(read) => self.stop = Some(read),
            Frame::Reset(reason, text) => self.reset = Some((reason, text)),
            Frame::GoAway => self.goaway = true,
            Frame::Ping => self.ping = true,
            _ => {}
        }
    }
}
