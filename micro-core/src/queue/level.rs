//! Whether a queue is full, with a distance between its two marks: what turns at each item would turn all the time.

use std::sync::Arc;

use tokio::sync::watch;

/// Whether a queue is full: it is from when as many items wait as its high-water mark says, until half of them have been
/// read. Clones tell of the same queue.
#[derive(Clone, Debug)]
pub struct Level(Arc<Marks>);

#[derive(Debug)]
struct Marks {
    high: usize,
    low: usize,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    full: bool,
    times: u64,
}

impl Level {
    /// Of an empty queue, with a high-water mark of so many items (at least one).
    pub(super) fn new(high: usize) -> Self {
        let high = high.max(1);
        let (low, state) = (high / 2, watch::Sender::default());
        Level(Arc::new(Marks { high, low, state }))
    }

    /// Whether it is full now.
    pub fn is_full(&self) -> bool {
        self.0.state.borrow().full
    }

    /// How many times it has become full.
    pub fn times(&self) -> u64 {
        self.0.state.borrow().times
    }

    /// Waits until it is full.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn until_full(&self) {
        self.until(|state| state.full).await;
    }

    /// Waits until it is not full.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn until_read(&self) {
        self.until(|state| !state.full).await;
    }

    /// Waits until it has become full for another time than so many.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn until_again(&self, times: u64) {
        self.until(|state| state.times > times).await;
    }

    async fn until(&self, holds: impl FnMut(&State) -> bool) {
        // The sender is held here, so that it is not gone.
        let _ = self.0.state.subscribe().wait_for(holds).await;
    }

    /// An item was added.
    pub(super) fn rose(&self, waiting: impl Fn() -> usize) {
        if waiting() >= self.0.high {
            self.look(waiting);
        }
    }

    /// An item was taken.
    pub(super) fn sank(&self, waiting: impl Fn() -> usize) {
        self.look(waiting);
    }

    /// The count is taken under the lock, by both ends: whoever comes second sees what the first did. With a count of
    /// before, a writer could say that a queue is full which nobody will read any more, since it is empty.
    fn look(&self, waiting: impl Fn() -> usize) {
        self.0.state.send_if_modified(|state| {
            let waiting = waiting();
            let full = match state.full {
                true => waiting > self.0.low,
                false => waiting >= self.0.high,
            };
            let turned = full != state.full;
            state.times += u64::from(turned && full);
            state.full = full;
            turned
        });
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, StreamExt};

    use super::super::{Pushed, Receiver, leveled};
    use super::Level;

    fn level(receiver: &Receiver<usize>) -> Level {
        receiver.level().unwrap()
    }

    async fn read(receiver: &mut Receiver<usize>, count: usize) {
        for _ in 0..count {
            receiver.next().await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn it_is_full_at_the_high_mark_and_until_the_low_one() {
        let (sender, mut receiver) = leveled(8, 100, |_| true);
        let level = level(&receiver);
        for item in 0..8 {
            assert!(!level.is_full() && level.until_full().now_or_never().is_none());
            sender.push(item);
        }
        assert!(sender.is_full() && level.until_full().now_or_never().is_some());
        read(&mut receiver, 3).await;
        assert!(level.is_full() && level.until_read().now_or_never().is_none());
        read(&mut receiver, 1).await;
        assert!(level.until_read().now_or_never().is_some());
        for item in 0..3 {
            sender.push(item);
        }
        assert_eq!((level.is_full(), level.times()), (false, 1));
        sender.push(3);
        assert_eq!((level.is_full(), level.times()), (true, 2));
    }

    #[tokio::test]
    async fn beyond_the_mark_it_takes_as_much_as_the_reserve() {
        let (sender, mut receiver) = leveled(2, 3, |_| true);
        let pushed = [0, 1, 2, 3, 4, 5].map(|item| sender.push(item));
        assert_eq!(pushed[4..], [Pushed::Queued, Pushed::Dropped]);
        assert_eq!(receiver.next().await.unwrap().unwrap_err().lost(), Some(1));
    }

    #[tokio::test]
    async fn a_queue_of_one_is_full_and_read_in_turn() {
        let (sender, mut receiver) = leveled(0, 0, |_| true);
        let level = level(&receiver);
        for times in 1..4 {
            sender.push(0);
            assert_eq!((level.is_full(), level.times()), (true, times));
            read(&mut receiver, 1).await;
            assert!(!level.is_full());
        }
    }

    #[tokio::test]
    async fn what_does_not_count_makes_it_no_fuller() {
        let (sender, mut receiver) = leveled(2, 3, |item: &usize| item.is_multiple_of(2));
        let level = level(&receiver);
        for item in [1, 3, 0] {
            sender.push(item);
        }
        assert!(!level.is_full());
        sender.push(2);
        assert!(level.is_full());
        read(&mut receiver, 2).await;
        assert!(level.is_full());
        read(&mut receiver, 1).await;
        assert_eq!((level.is_full(), level.times()), (false, 1));
    }

    /// Nobody is left waiting for a queue that is empty.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_queue_that_was_read_is_never_full() {
        for _ in 0..200 {
            let (sender, mut receiver) = leveled(1, 100, |_| true);
            let level = level(&receiver);
            let writing = tokio::spawn(async move {
                for item in 0..100 {
                    sender.push(item);
                }
            });
            read(&mut receiver, 100).await;
            writing.await.unwrap();
            assert!(!level.is_full());
        }
    }
}
