//! The pages that name tests: each of those exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::process;

/// The pages, of which every name in backticks with two underscores or more is that of a test.
const PAGES: &[&str] = &["docs/limits.md"];

fn named(page: &str) -> BTreeSet<&str> {
    let quoted = page.split('`').skip(1).step_by(2);
    let is_name = |text: &&str| {
        text.bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
            && text.matches('_').count() > 1
    };
    quoted.filter(is_name).collect()
}

/// Strikes off what the sources below a folder declare.
fn strike_off(folder: &Path, names: &mut BTreeSet<&str>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            strike_off(&path, names);
        } else if name.ends_with(".rs") {
            let source = fs::read_to_string(&path).unwrap();
            names.retain(|name| !source.contains(&format!("fn {name}(")));
        }
    }
}

#[test]
fn every_test_that_a_page_names_exists() {
    for page in PAGES {
        let text = fs::read_to_string(process::root().join(page)).unwrap();
        let mut names = named(&text);
        assert!(names.len() > 10, "{page} names hardly any tests");
        strike_off(&process::root(), &mut names);
        assert!(names.is_empty(), "{page} names what does not exist: {names:?}");
    }
}
