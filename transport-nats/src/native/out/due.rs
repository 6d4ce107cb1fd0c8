//! Words that wait for the next packet.

use super::Style;
use crate::native::frame::{self, Frame, Reason};

/// Words that the next packet takes along.
#[derive(Debug, Default)]
pub(crate) struct Due {
    pub(crate) credit: Option<(u64, u64)>,
    pub(crate) stop: Option<u64>,
    pub(crate) pong: bool,
    pub(crate) ping: bool,
    pub(crate) goaway: bool,
    pub(crate) reset: Option<(Reason, &'static str)>,
    /// After all messages.
    pub(crate) fin: bool,
}

impl Due {
    pub(super) fn has_words(&self) -> bool {
        self.credit.is_some()
            || self.stop.is_some()
            || self.pong
            || self.ping
            || self.goaway
            || self.reset.is_some()
    }

    /// Writes the words; whether one of them is the last.
    pub(super) fn put(&mut self, out: &mut Vec<u8>, style: &Style<'_>) -> bool {
        let last = self.reset.is_some();
        let mut word = |frame: Frame<'_>| frame::put(out, &frame);
        if let Some((limit, packets)) = self.credit.take() {
            word(Frame::Credit { limit, packets });
        }
        if let Some(read) = self.stop.take() {
            word(Frame::Stop(read));
        }
        if std::mem::take(&mut self.goaway) {
            word(Frame::GoAway);
        }
        if std::mem::take(&mut self.ping) {
            word(Frame::Ping);
        }
        if let Some((reason, text)) = self.reset.take() {
            word(Frame::Reset(reason, text));
        }
        if std::mem::take(&mut self.pong) {
            (style.pong)(out);
        }
        last
    }
}
