//! What makes a clause of a function: a test with a name and a limit, which a backend may be excused from.

use std::io::Write;
use std::time::Duration;

use tokio::runtime::Builder;

/// How long a clause may take. It bounds a failure; no clause waits for it.
const LIMIT: Duration = Duration::from_secs(30);

/// How long the tasks that a clause leaves behind may take to end.
const REST: Duration = Duration::from_secs(5);

/// Runs one clause on a runtime of its own.
///
/// # Panics
/// When the clause does, or does not end within 30 seconds.
pub fn run(clause: &str, body: impl Future<Output = ()>) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let ended = runtime.block_on(async { tokio::time::timeout(LIMIT, body).await });
    // What its tasks hold goes before the process may: a server that nobody ends would outlive it.
    runtime.shutdown_timeout(REST);
    assert!(ended.is_ok(), "the clause {clause} did not end within {LIMIT:?}");
}

/// Says that a backend is excused from a clause by its capabilities.
///
/// Straight to the error stream: what `eprintln` says, the test harness keeps to itself when a test passes.
pub(crate) fn skip(reason: &str) {
    let thread = std::thread::current();
    let clause = thread.name().unwrap_or("a clause");
    // Whoever has closed the stream does not want to know.
    let _ = writeln!(std::io::stderr(), "skipped {clause}: {reason}");
}

/// Tells a figure that a clause measured, to whoever lets the test harness show what tests say.
#[allow(clippy::print_stdout, reason = "the harness keeps it to itself unless asked")]
pub(crate) fn tell(figure: impl std::fmt::Display) {
    println!("{figure}");
}

/// Declares a suite: the list of its clauses, once.
///
/// Each is re-exported from here, and an unlisted one stays unreachable, of which the compiler warns. The macro of
/// that name, which this declares, makes a test of each.
///
/// The first token is a dollar sign, for the macro inside to have one of its own.
macro_rules! suite {
    (
        $d:tt
        $(#[$attribute:meta])*
        $suite:ident in $module:ident {
            $($file:ident: { $($clause:ident),+ $(,)? })+
        }
    ) => {
        $(pub use $file::{$($clause),+};)+

        /// The names of the clauses.
        pub const CLAUSES: &[&str] = &[$($(stringify!($clause)),+),+];

        $(#[$attribute])*
        #[macro_export]
        macro_rules! $suite {
            ($d name:ident, $d world:expr) => {
                mod $d name {
                    #[allow(unused_imports, clippy::wildcard_imports, reason = "the world may need anything")]
                    use super::*;
                    $($(
                        #[test]
                        fn $clause() {
                            $crate::run(concat!(stringify!($module), "::", stringify!($clause)), async {
                                let world = $d world;
                                $crate::$module::$clause(&world).await;
                            });
                        }
                    )+)+
                }
            };
        }
    };
}

pub(crate) use suite;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// The names in the `# Behavior` list of the first documented item that has one.
    fn behavior(source: &str) -> BTreeSet<&str> {
        let list = source.lines().skip_while(|line| *line != "/// # Behavior");
        let list = list.take_while(|line| line.starts_with("///"));
        list.flat_map(|line| line.split('`').skip(1).step_by(2))
            .filter(|name| name.contains('_') && !name.contains([':', '!']))
            .collect()
    }

    #[test]
    fn contracts_name_exactly_their_clauses() {
        for (contract, clauses) in [
            (
                include_str!("../../micro-core/src/transport.rs"),
                crate::transport::CLAUSES,
            ),
            (
                include_str!("../../micro-core/src/broker.rs"),
                crate::broker::CLAUSES,
            ),
            (
                include_str!("../../micro-core/src/registry.rs"),
                crate::registry::CLAUSES,
            ),
        ] {
            assert_eq!(behavior(contract), clauses.iter().copied().collect());
        }
    }
}
