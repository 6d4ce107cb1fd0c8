//! The tests of a source, read line by line: names, and whether they run with the others.

/// A test.
#[derive(Debug, PartialEq)]
pub(super) struct Test {
    pub(super) name: String,
    /// Not when it is ignored.
    pub(super) runs: bool,
}

/// The tests of a source; in a suite, its public functions, too.
pub(super) fn source(text: &str, is_suite: bool) -> Vec<Test> {
    let mut tests = Vec::new();
    let (mut is_test, mut ignored) = (false, false);
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            is_test |= is_attribute_of_test(line);
            ignored |= line.starts_with("#[ignore");
            continue;
        }
        if let Some(name) = function(line) {
            if is_test || (is_suite && line.starts_with("pub async fn ")) {
                let name = name.to_owned();
                tests.push(Test { name, runs: !ignored });
            }
            (is_test, ignored) = (false, false);
        }
    }
    tests
}

/// `#[test]`, `#[tokio::test]`, `#[tokio::test(…)]`.
fn is_attribute_of_test(line: &str) -> bool {
    let path = line.trim_start_matches("#[");
    let path = path.split(['(', ']']).next().unwrap_or_default();
    path == "test" || path.ends_with("::test")
}

/// The name of the function that begins here.
fn function(line: &str) -> Option<&str> {
    let words = ["pub ", "pub(crate) ", "pub(super) ", "async ", "fn "];
    let rest = words
        .iter()
        .fold(line, |line, word| line.strip_prefix(word).unwrap_or(line));
    let begins = line.starts_with("fn ") || line.contains(" fn ");
    let name = rest.split(['(', '<']).next()?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (begins && is_name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, is_suite: bool) -> Vec<(String, bool)> {
        let tests = source(text, is_suite).into_iter();
        tests.map(|test| (test.name, test.runs)).collect()
    }

    #[test]
    fn tests_are_told_by_their_attributes() {
        let text = "fn helper() {}\n#[test]\nfn one() {}\n#[tokio::test(flavor = \"multi_thread\")]\n\
                    #[cfg(unix)]\nasync fn two() {}\n#[tokio::test]\n#[ignore = \"long\"]\nasync fn three() {}\n\
                    pub async fn four() {}\n";
        let expected = [("one", true), ("two", true), ("three", false)];
        let expected = expected.map(|(name, runs)| (name.to_owned(), runs));
        assert_eq!(names(text, false), expected);
    }

    #[test]
    fn clauses_are_the_public_functions_of_a_suite() {
        let text = "pub async fn a_clause(world: &World) {}\nasync fn helper() {}\npub fn value() {}\n";
        assert_eq!(names(text, true), [("a_clause".to_owned(), true)]);
    }
}
