//! The tables of a page.

/// A row of a table: what it says is for people.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    /// From one.
    pub(super) line: usize,
    pub(super) proofs: Vec<Proof>,
}

/// What shows that a promise is kept.
#[derive(Debug, PartialEq)]
pub(super) enum Proof {
    /// A test, or a clause, by its name.
    Test(String),
    /// What `cargo xtask` runs.
    Xtask(String),
}

/// The rows of all tables, but for heads and rules.
pub(super) fn rows(text: &str) -> Vec<Row> {
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let cells = line.strip_prefix('|')?.trim_end().strip_suffix('|')?;
            let last = cells.rsplit('|').next()?.trim();
            let is_row = !last.starts_with("---") && last != "shown by";
            is_row.then(|| Row {
                line: index + 1,
                proofs: proofs(last),
            })
        })
        .collect()
}

fn proofs(cell: &str) -> Vec<Proof> {
    let code = cell.split('`').skip(1).step_by(2);
    code.map(|code| match code.strip_prefix("cargo xtask ") {
        Some(rest) => Proof::Xtask(rest.split(' ').next().unwrap_or_default().to_owned()),
        None => Proof::Test(code.to_owned()),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_cell_of_a_row_has_its_proofs() {
        let text = "# Head\n| promise | limits | shown by |\n|---|---|---|\n\
                    | it works | `not_this` | `a_test`, `cargo xtask chaos restart` |\n| it hopes | | |\n";
        let test = Proof::Test("a_test".into());
        let expected = [
            Row {
                line: 4,
                proofs: vec![test, Proof::Xtask("chaos".into())],
            },
            Row {
                line: 5,
                proofs: vec![],
            },
        ];
        assert_eq!(rows(text), expected);
    }
}
