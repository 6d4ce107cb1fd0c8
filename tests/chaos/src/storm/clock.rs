//! How late the machine is, apart from what this process does with its time.
//!
//! A call that ends late may be late because nobody let this process run, which says nothing of the framework. So two
//! things are noted all the time: how late a control timer comes that does nothing else, and how long the threads that
//! run tasks waited for a processor, which the kernel counts (Linux). A task may have waited on such a thread while the
//! control, on another, was in time. A call is allowed as much of the time after its deadline as was spent so.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

/// How often the control looks at the time.
const STEP: Duration = Duration::from_millis(5);

/// What is noted: a timer has steps of a millisecond itself.
const NOTED: Duration = Duration::from_millis(2);

/// The control. Dropping it stops it.
pub(super) struct Clock {
    waits: Arc<Mutex<Vec<Wait>>>,
    task: JoinHandle<()>,
}

/// A time in which this process was ready to run, in part at least, and for so long did not.
#[derive(Clone, Copy)]
struct Wait {
    from: Instant,
    to: Instant,
    sum: Duration,
}

impl Clock {
    pub(super) fn start() -> Self {
        let waits = Arc::<Mutex<Vec<Wait>>>::default();
        let task = tokio::spawn(watch(waits.clone()));
        Clock { waits, task }
    }

    /// How much of the time between two moments this process waited to run.
    pub(super) fn waited_within(&self, from: Instant, to: Instant) -> Duration {
        let waits = self.waits.lock();
        let within = waits.iter().filter(|wait| wait.from < to && wait.to > from);
        // When within its time it was is not known.
        let parts = within.map(|wait| wait.sum.min(wait.to.min(to) - wait.from.max(from)));
        parts.sum::<Duration>().min(to - from)
    }

    /// The longest that it waited at a time.
    pub(super) fn worst(&self) -> Duration {
        let waits = self.waits.lock();
        waits.iter().map(|wait| wait.sum).max().unwrap_or_default()
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn watch(waits: Arc<Mutex<Vec<Wait>>>) {
    let mut threads = Thread::all();
    let mut before = Instant::now();
    loop {
        let due = before + STEP;
        sleep_until(due.into()).await;
        let to = Instant::now();
        let late = to.saturating_duration_since(due);
        let waited = threads.iter_mut().map(Thread::waited);
        let (mut longest, mut sum) = (late, late);
        for waited in waited {
            (longest, sum) = (longest.max(waited), sum + waited);
        }
        // The kernel counts a wait when it is over: it may have begun before the last look.
        let from = before.min(to - longest);
        let sum = sum.min(to - from);
        if sum > NOTED {
            waits.lock().push(Wait { from, to, sum });
        }
        before = to;
    }
}

/// A thread that runs tasks.
struct Thread {
    file: File,
    /// How long it had waited for a processor, in nanoseconds.
    waited: u64,
}

impl Thread {
    /// Those of this process; none where the kernel does not tell.
    fn all() -> Vec<Thread> {
        let entries = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let open = |entry: fs::DirEntry| File::open(entry.path().join("schedstat")).ok();
        let mut threads: Vec<_> = entries
            .filter_map(open)
            .map(|file| Thread { file, waited: 0 })
            .collect();
        for thread in &mut threads {
            thread.waited();
        }
        threads
    }

    /// How long it has waited since it was last asked.
    fn waited(&mut self) -> Duration {
        let mut buffer = [0; 64];
        let length = self.file.read_at(&mut buffer, 0).unwrap_or_default();
        let text = std::str::from_utf8(&buffer[..length]).unwrap_or_default();
        // Time on a processor, time waiting for one, and how many times it got one.
        let total = text.split(' ').nth(1).and_then(|number| number.parse().ok());
        let total = total.unwrap_or(self.waited);
        let before = std::mem::replace(&mut self.waited, total);
        Duration::from_nanos(total.saturating_sub(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_allowed_is_the_time_in_which_this_process_waited() {
        let clock = Clock::start();
        // Far ahead of what the control of the test itself may note.
        let start = Instant::now() + Duration::from_secs(3600);
        let at = |ms| start + Duration::from_millis(ms);
        let waits = [(10, 40, 30), (40, 60, 5), (60, 120, 50)].map(|(from, to, sum)| Wait {
            from: at(from),
            to: at(to),
            sum: Duration::from_millis(sum),
        });
        clock.waits.lock().extend(waits);
        for (from, to, allowed) in [
            (0, 10, 0),
            (0, 20, 10),
            (0, 200, 85),
            (50, 70, 15),
            (50, 53, 3),
            (120, 200, 0),
        ] {
            let waited = clock.waited_within(at(from), at(to));
            assert_eq!(waited, Duration::from_millis(allowed), "{from} to {to}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_kernel_tells_of_every_thread() {
        assert!(!Thread::all().is_empty());
    }
}
