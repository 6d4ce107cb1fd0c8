//! Which recorder counts now.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use metrics::{Recorder, with_recorder};

/// Whether there is a recorder. One of no size, as `metrics` has it for none, is none.
pub(super) fn is_recorded() -> bool {
    with_recorder(|recorder| size_of_val(recorder) > 0)
}

/// Whether it is the one of the whole process, which is never replaced, and so what it gave may be kept. One of a thread,
/// as tests have, comes and goes, and another may come to where it was.
pub(super) fn is_lasting() -> bool {
    static LASTING: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static PASSING: Cell<usize> = const { Cell::new(0) };
    }
    let asked = with_recorder(place);
    match LASTING.load(Ordering::Relaxed) {
        0 if PASSING.get() != asked => {}
        lasting => return lasting == asked,
    }
    match global() {
        Some(lasting) => {
            LASTING.store(lasting, Ordering::Relaxed);
            lasting == asked
        }
        None => {
            PASSING.set(asked);
            false
        }
    }
}

/// The place of that of the process. `metrics` does not tell, but a thread that has just begun has none of its own: it
/// is asked once for each recorder.
fn global() -> Option<usize> {
    let look = || with_recorder(|it| (size_of_val(it) > 0).then(|| place(it)));
    let thread = std::thread::Builder::new().name("micro-recorder".to_owned());
    thread.spawn(look).ok()?.join().ok()?
}

fn place(recorder: &dyn Recorder) -> usize {
    std::ptr::from_ref(recorder).cast::<()>().addr()
}
