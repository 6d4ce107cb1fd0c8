//! What a packet has beside messages.

use crate::native::frame::{Frame, Hello, Reason};

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

impl<'a> News<'a> {
    /// Notes what is no message.
    pub(super) fn note(&mut self, word: Frame<'a>, way: Way) {
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
