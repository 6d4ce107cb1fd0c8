//! On which threads a set-up works. Whoever writes a service chooses that, so either side tries all.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use futures::future::{BoxFuture, FutureExt};
use tokio::runtime::{Builder, Handle};

use crate::cases::Case;
use crate::load::{Sample, Setup, Side};
use crate::polling::polling;
use crate::rounds::Contest;

tokio::task_local! {
    /// Where services are set up, in a task that sets both ends up.
    static SERVICES: Handle;
}

/// The runtimes that set-ups work on: that of `main`, with a thread for each core, and two with a single thread.
pub(crate) struct Threads {
    single: Handle,
    services: Handle,
}

impl Threads {
    /// Starts the single threads, which last as long as the process.
    pub(crate) fn start() -> Result<Self> {
        Ok(Threads {
            single: single("single")?,
            services: single("services")?,
        })
    }

    /// Sets both sides of a case up, each with all threads, with one, with one that polls where the case lets it, and with
    /// one for callers and one for services. The last is left out where one of the sides has no ends that can be apart.
    pub(crate) async fn open(&self, case: &Case, url: &str) -> Result<Contest> {
        let open = |callers: &Handle, services: &Handle| {
            let opening = (case.open)(url.to_owned(), case.callers);
            callers.spawn(SERVICES.scope(services.clone(), opening))
        };
        let (all, single) = (Handle::current(), &self.single);
        let mut contest = on(&all, "", open(&all, &all).await??);
        contest.add(on(single, ", 1 thread", open(single, single).await??));
        if case.polling {
            let opening = polling((case.open)(url.to_owned(), case.callers));
            let opening = single.spawn(SERVICES.scope(single.clone(), opening));
            contest.add(on(single, ", 1 thread, busy polling", opening.await??));
        }
        let mut apart = open(single, &self.services).await??;
        apart.ours.retain(|setup| setup.apart);
        apart.peer.retain(|setup| setup.apart);
        if !apart.ours.is_empty() && !apart.peer.is_empty() {
            contest.add(on(single, ", a thread each", apart));
        }
        Ok(contest)
    }
}

/// Does what sets a service up, on the runtime where the set-up wants services.
pub(crate) async fn where_services_are<W>(work: W) -> Result<W::Output>
where
    W: Future + Send + 'static,
    W::Output: Send + 'static,
{
    let services = SERVICES.try_with(Handle::clone);
    let services = services.unwrap_or_else(|_| Handle::current());
    Ok(services.spawn(work).await?)
}

fn single(name: &str) -> Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    Ok(handle)
}

/// The same set-ups, with callers on this runtime.
fn on(handle: &Handle, name: &str, contest: Contest) -> Contest {
    let there = |setup: Setup| {
        let handle = handle.clone();
        setup.through(name, |side| Arc::new(On { handle, side }))
    };
    Contest {
        ours: contest.ours.into_iter().map(there).collect(),
        peer: contest.peer.into_iter().map(there).collect(),
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
    use crate::polling::busy_poll;

    fn thread_name() -> String {
        thread::current().name().unwrap_or_default().to_owned()
    }

    /// A set-up with a name that says where its ends are, and one with a single end.
    async fn setups() -> Result<Vec<Setup>> {
        let (callers, services) = (thread_name(), where_services_are(async { thread_name() }).await?);
        let setup = |name: &str| Setup::new(name, Callers::new(1, async |_| Ok(())), ());
        let ends = setup(&format!("{callers} to {services}")).with_ends_apart(true);
        Ok(vec![ends, setup(&callers)])
    }

    fn names(setups: &[Setup]) -> Vec<&str> {
        setups.iter().map(|setup| &*setup.name).collect()
    }

    #[tokio::test]
    async fn each_side_is_set_up_on_all_threads_on_one_and_on_one_for_each_end() {
        let case = Case::new("case", "a case", "a peer", async |_, callers| {
            assert_eq!(callers, 1);
            Ok(Contest {
                ours: setups().await?,
                peer: setups().await?,
            })
        });
        let contest = Threads::start().unwrap().open(&case, "").await.unwrap();
        for side in [contest.ours, contest.peer] {
            let expected = [
                "single to single, 1 thread",
                "single, 1 thread",
                "single to services, a thread each",
            ];
            assert_eq!(names(&side)[2..], expected);
        }
    }

    #[tokio::test]
    async fn a_case_that_polls_has_set_ups_more_that_do() {
        let open = async |_: String, _| {
            let name = format!("{} {}", thread_name(), busy_poll().is_some());
            let setup = || vec![Setup::new(&name, Callers::new(1, async |_| Ok(())), ())];
            Ok(Contest {
                ours: setup(),
                peer: setup(),
            })
        };
        let case = Case::new("case", "a case", "a peer", open).polling();
        let contest = Threads::start().unwrap().open(&case, "").await.unwrap();
        for side in [contest.ours, contest.peer] {
            let expected = ["single false, 1 thread", "single true, 1 thread, busy polling"];
            assert_eq!(names(&side)[1..], expected);
        }
    }

    #[tokio::test]
    async fn neither_side_has_a_thread_for_each_end_where_one_cannot() {
        let case = Case::new("case", "a case", "a peer", async |_, _| {
            Ok(Contest {
                ours: setups().await?,
                peer: setups().await?.split_off(1),
            })
        });
        let contest = Threads::start().unwrap().open(&case, "").await.unwrap();
        assert_eq!((contest.ours.len(), contest.peer.len()), (4, 2));
    }
}
