//! Reading what a file imports: from its tokens, so that comments, strings and line breaks do not matter.

use anyhow::{Result, anyhow};
use proc_macro2::{TokenStream, TokenTree};

use super::source::File;
use super::tokens::{self, is_brace, is_punct, is_separator, is_word};

/// A path that leads out of a module.
#[derive(Debug, PartialEq)]
pub(super) struct Import {
    pub(super) line: usize,
    /// From the root of the crate, without `crate`.
    pub(super) path: Vec<String>,
    /// What it is called here: the last segment, or what follows `as`.
    pub(super) name: String,
}

/// What one file holds.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) imports: Vec<Import>,
    /// The modules of tests: what they import is their own business, in their own file too.
    pub(super) tests: Vec<Vec<String>>,
}

/// Reads the paths that begin with `root`, in `use` and elsewhere. A `#[cfg(test)] mod` is passed over.
///
/// When the root is `crate`, also those with `super` and `self`, and in `lib.rs` every `use`.
pub(super) fn read(file: &File, root: &str) -> Result<Reading> {
    let parsed = file.text.parse::<TokenStream>();
    let stream = parsed.map_err(|error| anyhow!("{} is not Rust: {error}", file.path))?;
    let mut reader = Reader {
        root,
        reading: Reading::default(),
    };
    reader.walk(stream, &file.module);
    Ok(reader.reading)
}

struct Reader<'a> {
    root: &'a str,
    reading: Reading,
}

impl Reader<'_> {
    fn walk(&mut self, stream: TokenStream, module: &[String]) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at += self.step(&tokens[at..], module);
        }
    }

    /// Reads what stands first, and says how many tokens it took: at least one.
    fn step(&mut self, tokens: &[TokenTree], module: &[String]) -> usize {
        if let Some((name, length)) = tokens::test_module(tokens) {
            self.reading.tests.push(child(module, name));
            return length;
        }
        match tokens {
            [word, name, TokenTree::Group(body), ..] if is_word(word, "mod") => {
                self.walk(body.stream(), &child(module, name));
                3
            }
            [word, rest @ ..] if is_word(word, "use") => 1 + self.paths(rest, module, true),
            // `pub(in crate::x)` is no import.
            [word, TokenTree::Group(_), ..] if is_word(word, "pub") => 2,
            [TokenTree::Ident(_), rest @ ..] if is_separator(rest) => self.paths(tokens, module, false),
            [TokenTree::Group(group), ..] => {
                self.walk(group.stream(), module);
                1
            }
            _ => 1,
        }
    }

    fn paths(&mut self, tokens: &[TokenTree], module: &[String], in_use: bool) -> usize {
        let start = if is_separator(tokens) { 2 } else { 0 };
        let mut found = Vec::new();
        let length = start + tree(&tokens[start..], &[], &mut found);
        for mut import in found {
            if let Some(path) = self.resolve(&import.path, module, in_use) {
                import.path = path;
                self.reading.imports.push(import);
            }
        }
        length
    }

    /// The path from the root of the crate, or nothing when it leads to another crate or stays in the module.
    fn resolve(&self, path: &[String], module: &[String], in_use: bool) -> Option<Vec<String>> {
        match path.first()?.as_str() {
            first if first == self.root => Some(path[1..].to_vec()),
            _ if self.root != "crate" => None,
            "self" | "super" => {
                let steps = path.iter().take_while(|word| *word == "self" || *word == "super");
                let up = steps.clone().filter(|word| *word == "super").count();
                let base = &module[..module.len().saturating_sub(up)];
                Some([base, &path[steps.count()..]].concat())
            }
            _ => (in_use && module.is_empty()).then(|| path.to_vec()),
        }
    }
}

/// Reads one path, or a tree of them, and says how many tokens it took.
fn tree(tokens: &[TokenTree], before: &[String], found: &mut Vec<Import>) -> usize {
    let mut path = before.to_vec();
    for at in (0..tokens.len()).step_by(3) {
        match &tokens[at] {
            TokenTree::Group(group) if is_brace(&tokens[at]) => {
                branches(group.stream(), &path, found);
                return at + 1;
            }
            TokenTree::Ident(word) => path.push(word.to_string()),
            token if is_punct(token, '*') => path.push("*".to_owned()),
            _ => return at,
        }
        if !continues(&tokens[at + 1..]) {
            found.push(leaf(&tokens[at..], path));
            return at + 1;
        }
    }
    tokens.len()
}

fn branches(stream: TokenStream, path: &[String], found: &mut Vec<Import>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    for branch in tokens.split(|token| is_punct(token, ',')) {
        tree(branch, path, found);
    }
}

/// Whether a path goes on: `::<T>` belongs to the expression around it, which is walked for itself.
fn continues(rest: &[TokenTree]) -> bool {
    is_separator(rest)
        && rest
            .get(2)
            .is_some_and(|next| matches!(next, TokenTree::Ident(_)) || is_brace(next) || is_punct(next, '*'))
}

fn leaf(tokens: &[TokenTree], path: Vec<String>) -> Import {
    let alias = match tokens {
        [_, word, alias, ..] if is_word(word, "as") => alias,
        _ => &tokens[0],
    };
    Import {
        line: tokens[0].span().start().line,
        path,
        name: alias.to_string(),
    }
}

fn child(module: &[String], name: &TokenTree) -> Vec<String> {
    [module, &[name.to_string()]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(module: &str, text: &str) -> Reading {
        let file = File {
            path: "src/x.rs".to_owned(),
            module: module
                .split("::")
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
            text: text.to_owned(),
        };
        read(&file, "crate").unwrap()
    }

    fn imports(module: &str, text: &str) -> Vec<String> {
        let shown = |import: &Import| format!("{} {}", import.line, import.path.join("::"));
        reading(module, text).imports.iter().map(shown).collect()
    }

    #[test]
    fn a_tree_gives_each_leaf_with_its_line() {
        let text = "use crate::{\n    a::{self, B as C},\n    d::*,\n};";
        assert_eq!(imports("x", text), ["2 a::self", "2 a::B", "3 d::*"]);
        assert_eq!(reading("x", text).imports[1].name, "C");
    }

    #[test]
    fn paths_in_code_and_in_macros_count() {
        let text = "fn f() { Vec::<crate::a::B>::new(); m!(crate::c::D); crate::e::f::<u8>(1) }";
        assert_eq!(imports("x", text), ["1 a::B", "1 c::D", "1 e::f"]);
    }

    #[test]
    fn super_is_counted_from_the_module_it_stands_in() {
        assert_eq!(imports("a::b", "use super::super::c::D;"), ["1 c::D"]);
        assert_eq!(imports("a", "mod b { use super::super::c::D; }"), ["1 c::D"]);
        assert_eq!(imports("a::b", "use super::c::D;"), ["1 a::c::D"]);
    }

    #[test]
    fn comments_strings_and_visibility_are_no_imports() {
        let text = "//! crate::a::B\n/// [`X`](crate::b::X)\npub(in crate::c) const A: &str = \"crate::d::E\"; // crate::e";
        assert_eq!(imports("x", text), [""; 0]);
    }

    #[test]
    fn modules_of_tests_are_passed_over_and_nothing_else() {
        let text = "#[cfg(test)]\n#[allow(x)]\npub(crate) mod tests { use crate::a::B; }\n#[cfg(test)]\nmod more;\n\
                    #[cfg(test)]\nuse crate::c::D;";
        assert_eq!(imports("x", text), ["7 c::D"]);
        assert_eq!(reading("x", text).tests, [["x", "tests"], ["x", "more"]]);
    }

    #[test]
    fn only_the_root_file_has_its_relative_paths_read() {
        assert_eq!(
            imports("", "pub use error::{Error, Result as R};"),
            ["1 error::Error", "1 error::Result"]
        );
        assert_eq!(
            imports(
                "x",
                "use error::Error; use ::std::fmt; fn f() -> impl A + use<'_> {}"
            ),
            [""; 0]
        );
    }
}
