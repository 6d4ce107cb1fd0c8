//! What happens on a shared socket when nothing else does: calls expire, a silent server is asked whether it is there, and
//! a socket that nobody uses is closed.

use std::pin::pin;
use std::task::{Context, ready};
use std::time::Duration;

use futures::FutureExt;
use tokio::time::{Instant, sleep_until};

use crate::client::in_flight::InFlight;
use crate::rpc::frame::Dialect;

/// After how long a go-micro server that owes an answer is asked whether it is there. When it is gone, all calls to it
/// end at once, instead of at their deadlines.
const DOUBT: Duration = Duration::from_secs(1);

/// A go-micro server forgets a socket after 60 s without a message, and loses what comes while it does. What is idle
/// for one to two times this long is closed before.
const IDLE_GO_MICRO: Duration = Duration::from_secs(25);

/// One timer for all calls of a socket. Polled last by its driver, it sees what the other halves have done.
pub(crate) struct Clock<'a> {
    table: &'a InFlight,
    idle: Beat,
    /// None for a peer of ours, whose transport tells that it is gone.
    doubt: Option<Beat>,
    heard: Option<u64>,
}

/// Something that is done again and again.
struct Beat {
    next: Instant,
    every: Duration,
}

impl<'a> Clock<'a> {
    /// Retires the socket after `idle` without a call.
    pub(crate) fn new(table: &'a InFlight, dialect: Dialect, idle: Duration) -> Self {
        let (idle, doubt) = match dialect {
            Dialect::Ours | Dialect::Packs => (idle, None),
            Dialect::GoMicro => (idle.min(IDLE_GO_MICRO), Some(Beat::every(DOUBT))),
        };
        Clock {
            table,
            idle: Beat::every(idle),
            doubt,
            heard: None,
        }
    }

    /// Goes on for ever.
    pub(crate) async fn run(mut self) {
        let mut timer = pin!(sleep_until(self.idle.next));
        std::future::poll_fn(|cx| {
            loop {
                let next = self.next(cx);
                if timer.deadline() != next {
                    timer.as_mut().reset(next);
                }
                ready!(timer.poll_unpin(cx));
                self.strike(Instant::now());
                // What is to be sent now, the writer sends when it is polled.
                cx.waker().wake_by_ref();
            }
        })
        .await
    }

    fn next(&self, cx: &Context<'_>) -> Instant {
        let others = [
            self.table.due(cx.waker()),
            self.doubt.as_ref().map(|beat| beat.next),
        ];
        others.into_iter().flatten().fold(self.idle.next, Instant::min)
    }

    fn strike(&mut self, now: Instant) {
        self.table.expire(now);
        if self.doubt.as_mut().is_some_and(|beat| beat.is_due(now)) {
            let before = std::mem::replace(&mut self.heard, self.table.heard_while_waiting());
            if self.heard.is_some() && self.heard == before {
                self.table.want_ping();
            }
        }
        if self.idle.is_due(now) {
            self.table.retire_if_unused();
        }
    }
}

impl Beat {
    fn every(every: Duration) -> Self {
        Beat {
            next: Instant::now() + every,
            every,
        }
    }

    fn is_due(&mut self, now: Instant) -> bool {
        let due = self.next <= now;
        if due {
            self.next = now + self.every;
        }
        due
    }
}
