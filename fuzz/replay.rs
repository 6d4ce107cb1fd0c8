//! Plays the committed inputs of a fuzz target again, in an ordinary test. Each crate that has targets includes this
//! file.

use std::fs;
use std::path::Path;

/// Hands every input in `fuzz/seeds/TARGET` to the target, in the order of their names.
///
/// # Panics
/// When there is none, and when the target does.
pub(crate) fn replay(target: &str, run: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/seeds")
        .join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut inputs: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{} is empty", folder.display());
    for input in inputs {
        // Shown when it fails.
        println!("{}", input.display());
        run(&fs::read(&input).unwrap());
    }
}
