//! The two Go programs are one program: only `generation.go` and the paths of the imports differ.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const V5: &str = "go-micro.dev/v5";
const V2: &str = "github.com/micro/go-micro/v2";

fn sources(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.ends_with(".go") && name != "generation.go")
        .collect()
}

/// The lines in an order of their own, since gofmt sorts imports by their paths.
fn lines(folder: &str, name: &str) -> BTreeSet<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(name);
    let text = fs::read_to_string(file).unwrap().replace(V5, V2);
    text.lines()
        .map(|line| line.split_whitespace().collect())
        .collect()
}

#[test]
fn the_two_go_programs_differ_in_their_imports_only() {
    let names = sources("v5");
    assert_eq!(names, sources("v2"));
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        assert_eq!(lines("v5", &name), lines("v2", &name), "{name}");
    }
}
