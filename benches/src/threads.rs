//! On how many threads a set-up works. Whoever writes a service chooses that, so either side tries both.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use futures::future::{BoxFuture, FutureExt};
use tokio::runtime::{Builder, Handle};

use crate::cases::Case;
use crate::load::{Sample, Setup, Side};
use crate::rounds::Contest;

/// The runtimes that set-ups work on: that of `main`, with a thread for each core, and one with a single thread.
pub(crate) struct Threads {
    single: Handle,
}

impl Threads {
    /// Starts the single thread, which lasts as long as the process.
    pub(crate) fn start() -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let single = runtime.handle().clone();
        let thread = thread::Builder::new().name("single".to_owned());
        thread.spawn(move || runtime.block_on(std::future::pending::<()>()))?;
        Ok(Threads { single })
    }

    /// Sets both sides of a case up, each with all threads and with one.
    pub(crate) async fn open(&self, case: &Case, url: &str) -> Result<Contest> {
        let open = || (case.open)(url.to_owned(), case.callers);
        let (mut ours, mut peer) = (Vec::new(), Vec::new());
        for (name, handle) in [("", Handle::current()), (", 1 thread", self.single.clone())] {
            let contest = handle.spawn(open()).await??;
            let there = |setup: Setup| {
                let handle = handle.clone();
                setup.through(name, |side| Arc::new(On { handle, side }))
            };
            ours.extend(contest.ours.into_iter().map(there));
            peer.extend(contest.peer.into_iter().map(there));
        }
        Ok(Contest { ours, peer })
    }
}

/// A side that works on the runtime on which it was set up.
struct On {
    handle: Handle,
    side: Arc<dyn Side>,
}

impl Side for On {
    fn round(&self, window: Duration) -> BoxFuture<'_, Result<Sample>> {
        let side = self.side.clone();
        let round = self.handle.spawn(async move { side.round(window).await });
        round.map(|done| done?).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Callers;

    #[tokio::test]
    async fn each_side_is_set_up_on_all_threads_and_on_one() {
        let case = Case::new("case", "a case", "a peer", async |_, callers| {
            assert_eq!(callers, 1);
            let name = thread::current().name().unwrap_or_default().to_owned();
            let setup = |count| Setup::new(&name, Callers::new(count, async |_| Ok(())), ());
            let (ours, peer) = (vec![setup(1)], vec![setup(1)]);
            Ok(Contest { ours, peer })
        });
        let contest = Threads::start().unwrap().open(&case, "").await.unwrap();
        for side in [contest.ours, contest.peer] {
            assert_eq!(side.len(), 2);
            assert_ne!(side[0].name, "single");
            assert_eq!(side[1].name, "single, 1 thread");
        }
    }
}
