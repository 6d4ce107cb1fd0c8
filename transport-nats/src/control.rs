//! The words that our peers say to each other beside messages.
//!
//! They travel without a reply subject, except for a ping: the server answers to a reply subject when nobody is
//! there, and on a socket's own each such answer has to stand for exactly one message.

use std::fmt;
use std::str::FromStr;

use nats_common::Subject;

/// One word, and the socket that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Control {
    pub(crate) word: Word,
    /// The reply subject of the socket's dialler. Only the listener needs to be told: a dialler's socket has a
    /// subject of its own.
    pub(crate) socket: Option<Subject>,
}

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Nothing more comes from this side; what was sent before is ahead of this.
    Fin,
    /// This side reads no more, and has left this many messages unread.
    Stop(usize),
    /// This side knows of no such socket.
    Reset,
    /// The listener is about to leave its address: nothing more can be sent to it, but answers still come.
    Leave,
    /// Are you there? To be answered to the reply subject.
    Ping,
    /// Yes.
    Pong,
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.word {
            Word::Fin => f.write_str("fin"),
            Word::Stop(unread) => write!(f, "stop {unread}"),
            Word::Reset => f.write_str("reset"),
            Word::Leave => f.write_str("leave"),
            Word::Ping => f.write_str("ping"),
            Word::Pong => f.write_str("pong"),
        }?;
        match &self.socket {
            Some(socket) => write!(f, " @{socket}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Control {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (words, socket) = match text.split_once(" @") {
            Some((words, socket)) => (words, Some(Subject::from(socket))),
            None => (text, None),
        };
        let word = match words.split_once(' ') {
            Some(("stop", unread)) => Word::Stop(unread.parse().map_err(drop)?),
            Some(_) => return Err(()),
            None => bare(words).ok_or(())?,
        };
        Ok(Control { word, socket })
    }
}

fn bare(word: &str) -> Option<Word> {
    Some(match word {
        "fin" => Word::Fin,
        "reset" => Word::Reset,
        "leave" => Word::Leave,
        "ping" => Word::Ping,
        "pong" => Word::Pong,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_it_was_written() {
        use Word::{Fin, Leave, Ping, Pong, Reset, Stop};
        for word in [Fin, Stop(0), Stop(17), Reset, Leave, Ping, Pong] {
            for socket in [None, Some(Subject::from("_INBOX.a.1"))] {
                let control = Control { word, socket };
                assert_eq!(control.to_string().parse(), Ok(control));
            }
        }
    }

    #[test]
    fn what_is_no_word_is_refused() {
        for text in ["", "open", "stop", "stop x", "stop -1", "fin 1", "FIN"] {
            assert_eq!(text.parse::<Control>(), Err(()), "{text:?}");
        }
    }
}
