//! Processor time, from `/proc`: what a call costs whoever else is busy. Zero where there is no `/proc`.

use std::fs;

/// The length of a tick in `/proc`, in seconds: the same on every Linux that Rust runs on.
const TICK: f64 = 0.01;

/// Processor time used so far, in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    /// By this process and those that were asked for.
    pub(crate) here: f64,
    /// By everybody on this machine.
    pub(crate) everywhere: f64,
}

impl Used {
    /// Now.
    pub(crate) fn now(processes: impl IntoIterator<Item = u32>) -> Self {
        let process = |pid: &str| read(&format!("/proc/{pid}/stat"), process_ticks);
        let others = processes.into_iter().map(|pid| process(&pid.to_string()));
        Used {
            here: process("self") + others.sum::<f64>(),
            everywhere: read("/proc/stat", machine_ticks),
        }
    }

    /// Since an earlier moment.
    pub(crate) fn since(self, earlier: Used) -> Used {
        Used {
            here: self.here - earlier.here,
            everywhere: self.everywhere - earlier.everywhere,
        }
    }
}

fn read(file: &str, ticks: impl Fn(&str) -> Option<u64>) -> f64 {
    let text = fs::read_to_string(file).ok();
    text.and_then(|text| ticks(&text)).unwrap_or_default() as f64 * TICK
}

/// Fields 14 and 15 of a process: in its own code, and in the kernel for it. Its name may hold blanks and brackets.
fn process_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

/// All but the idle and waiting time in the line of all processors.
fn machine_ticks(stat: &str) -> Option<u64> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let ticks: Vec<u64> = fields.map_while(|field| field.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq
    Some(ticks.get(..3)?.iter().sum::<u64>() + ticks.get(5..7)?.iter().sum::<u64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_process_is_read_behind_its_name() {
        let stat = "7 (a b) c) R 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0";
        assert_eq!(process_ticks(stat), Some(300));
    }

    #[test]
    fn idle_time_is_not_used_time() {
        assert_eq!(machine_ticks("cpu  10 1 5 1000 900 2 3 0 0 0\ncpu0 1"), Some(21));
        assert_eq!(machine_ticks("cpu  10 1"), None);
    }
}
