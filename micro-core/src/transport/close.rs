//! What tells whoever sends that nobody reads any more.

use std::fmt;

use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::watch;

/// For backends: what [`SocketSender::closed`](super::SocketSender::closed) waits for. It costs next to nothing until
/// somebody waits.
#[derive(Default)]
pub struct CloseSignal(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    Open,
    /// Dropping it ends every wait.
    Awaited(watch::Sender<()>),
    Set,
}

impl CloseSignal {
    /// Ends every wait, now and later. May be repeated.
    pub fn set(&self) {
        let before = std::mem::replace(&mut *self.0.lock(), State::Set);
        // Wakes those who wait, without the lock.
        drop(before);
    }

    /// Resolves when it is set, or dropped.
    pub fn wait(&self) -> BoxFuture<'static, ()> {
        match self.subscribe() {
            Some(mut signal) => Box::pin(async move { while signal.changed().await.is_ok() {} }),
            None => Box::pin(std::future::ready(())),
        }
    }

    fn subscribe(&self) -> Option<watch::Receiver<()>> {
        let mut state = self.0.lock();
        match &*state {
            State::Set => None,
            State::Awaited(signal) => Some(signal.subscribe()),
            State::Open => {
                let (signal, waiting) = watch::channel(());
                *state = State::Awaited(signal);
                Some(waiting)
            }
        }
    }
}

impl fmt::Debug for CloseSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_set = matches!(*self.0.lock(), State::Set);
        f.debug_tuple("CloseSignal").field(&is_set).finish()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn it_ends_earlier_and_later_waits() {
        let signal = CloseSignal::default();
        let (mut one, mut other) = (signal.wait(), signal.wait());
        assert!((&mut one).now_or_never().is_none());
        signal.set();
        signal.set();
        for wait in [&mut one, &mut other, &mut signal.wait()] {
            assert!(wait.now_or_never().is_some());
        }
    }

    #[test]
    fn a_dropped_signal_is_set() {
        let signal = CloseSignal::default();
        let wait = signal.wait();
        drop(signal);
        assert!(wait.now_or_never().is_some());
    }
}
