//! Not sleeping for a moment after traffic: busy polling.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use futures::future::poll_fn;
use futures::task::AtomicWaker;
use micro_core::{Error, ErrorKind, Result};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task;
use tokio_util::task::AbortOnDropHandle;

/// The longest time that a connection may keep its thread awake for. Above it a wake costs nothing in comparison, and
/// whoever writes `50` for 50 microseconds is told.
pub const LONGEST_BUSY_POLL: Duration = Duration::from_millis(10);

/// How often a poller looks before it reads the clock and offers its processor to others: both cost as much as a look.
const LOOKS: u64 = 8;

/// Whether something was sent or has come, for the one who polls.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// Nobody asks otherwise.
    is_watched: bool,
    moved: AtomicBool,
    poller: AtomicWaker,
    polls: AtomicU64,
}

impl Traffic {
    /// To be watched by a [`Poller`], or by nobody.
    pub(crate) fn new(is_watched: bool) -> Self {
        Traffic {
            is_watched,
            ..Traffic::default()
        }
    }

    /// Something was sent, or has come.
    #[inline]
    pub(crate) fn note(&self) {
        if self.is_watched && !self.moved.swap(true, Ordering::AcqRel) {
            self.poller.wake();
        }
    }

    /// How often the poller has looked.
    pub(crate) fn polls(&self) -> u64 {
        self.polls.load(Ordering::Relaxed)
    }

    /// Returns after the next word of traffic, or the last one that nobody has heard.
    async fn moved(&self) {
        poll_fn(|context| {
            self.poller.register(context.waker());
            // Looked at after registering: a word that comes later wakes.
            match self.take() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }

    fn take(&self) -> bool {
        self.moved.swap(false, Ordering::AcqRel)
    }
}

/// Keeps the runtime's thread from sleeping while there is traffic, and for a while after it.
pub(crate) struct Poller {
    traffic: Arc<Traffic>,
    longest: Duration,
}

impl Poller {
    pub(crate) fn start(traffic: &Arc<Traffic>, longest: Duration) -> AbortOnDropHandle<()> {
        let poller = Poller {
            traffic: traffic.clone(),
            longest,
        };
        AbortOnDropHandle::new(tokio::spawn(poller.run(Instant::now)))
    }

    async fn run(self, clock: impl Fn() -> Instant) {
        loop {
            self.traffic.moved().await;
            let mut last = clock();
            loop {
                // The server may be waiting for this very processor.
                thread::yield_now();
                let moved = self.look().await;
                let now = clock();
                if moved {
                    last = now;
                } else if now - last >= self.longest {
                    break;
                }
            }
        }
    }

    /// Whether there was traffic while it looked.
    async fn look(&self) -> bool {
        let mut moved = false;
        for _ in 0..LOOKS {
            self.traffic.polls.fetch_add(1, Ordering::Relaxed);
            // A runtime of one thread looks for events, and does not wait for one, when all that it has to do is a
            // task that has yielded.
            task::yield_now().await;
            moved |= self.traffic.take();
        }
        moved
    }
}

/// Checks how long a connection of this runtime is to keep its thread awake.
///
/// Where a runtime has more threads, one of them sleeps within the system's poll while another yields, so that it is
/// woken all the same, and the other one takes its processor.
pub(crate) fn check(longest: Option<Duration>) -> Result<()> {
    let Some(longest) = longest else { return Ok(()) };
    if longest > LONGEST_BUSY_POLL {
        return Err(refused(format!(
            "it is {longest:?}, and at most {LONGEST_BUSY_POLL:?}; 50us is usual"
        )));
    }
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::CurrentThread => Ok(()),
        _ => Err(refused(
            "it takes a runtime of one thread, such as that of #[tokio::main(flavor = \"current_thread\")], and this \
             one has more"
                .to_owned(),
        )),
    }
}

fn refused(reason: String) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("no busy polling (--nats_busy_poll): {reason}"),
    )
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::pin::pin;
    use std::sync::atomic::AtomicUsize;
    use std::task::{Context, Wake, Waker};

    use super::*;

    const LIMIT: Duration = Duration::from_micros(50);

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn it_polls_until_nothing_has_moved_for_so_long_and_then_not_once() {
        let traffic = Arc::new(Traffic::new(true));
        let now = Cell::new(Instant::now());
        let poller = Poller {
            traffic: traffic.clone(),
            longest: LIMIT,
        };
        let mut running = pin!(poller.run(|| now.get()));
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(wakes.clone());
        // Whether it is to be polled again at once, and how often it has looked and read the clock.
        let mut turn = |later| {
            now.set(now.get() + later);
            for _ in 0..LOOKS {
                wakes.0.store(0, Ordering::Relaxed);
                assert!(
                    running
                        .as_mut()
                        .poll(&mut Context::from_waker(&waker))
                        .is_pending()
                );
            }
            (wakes.0.load(Ordering::Relaxed) > 0, traffic.polls() / LOOKS)
        };

        assert_eq!(turn(Duration::ZERO), (false, 0));
        traffic.note();
        assert_eq!(turn(Duration::ZERO), (true, 1));
        assert_eq!(turn(LIMIT / 2), (true, 2));
        traffic.note();
        assert_eq!(turn(LIMIT / 2), (true, 3));
        assert_eq!(turn(LIMIT / 2), (true, 4));
        assert_eq!(turn(LIMIT / 2), (false, 4));
        assert_eq!(turn(LIMIT), (false, 4));
        traffic.note();
        assert_eq!(turn(LIMIT), (true, 5));
    }

    #[test]
    fn traffic_wakes_a_poller_that_sleeps_and_one_only() {
        for (is_watched, expected) in [(true, 1), (false, 0)] {
            let traffic = Traffic::new(is_watched);
            let wakes = Arc::new(Wakes::default());
            traffic.poller.register(&Waker::from(wakes.clone()));
            traffic.note();
            traffic.note();
            assert_eq!(wakes.0.load(Ordering::Relaxed), expected);
        }
    }
}
