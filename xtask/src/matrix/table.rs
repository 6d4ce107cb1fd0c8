//! What came of it: versions beside programs.

use std::fmt;

use super::binaries::Binary;

/// What one program said on one version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) passed: usize,
    pub(super) failed: usize,
}

impl Cell {
    /// Reads the line `test result: ok. 3 passed; 0 failed; …`. A program that fails without one counts as one failure.
    pub(super) fn read(said: &str, success: bool) -> Self {
        let result = said
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("test result: "));
        let counts = |word: &str| {
            let counts = result?.split(['.', ';']).map(str::trim);
            counts
                .filter_map(|part| part.strip_suffix(word)?.trim().parse().ok())
                .next()
        };
        let cell = Cell {
            passed: counts("passed").unwrap_or(0),
            failed: counts("failed").unwrap_or(0),
        };
        match success {
            true => cell,
            false => Cell {
                failed: cell.failed.max(1),
                ..cell
            },
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.passed, self.failed))
    }
}

/// What a cell holds.
const HEAD: &str = "passed/failed";

/// One row for each program, one column for each version.
pub(super) struct Table {
    programs: Vec<String>,
    columns: Vec<(String, Vec<Cell>)>,
}

impl Table {
    pub(super) fn new(binaries: &[Binary]) -> Self {
        Table {
            programs: binaries.iter().map(|binary| binary.name.clone()).collect(),
            columns: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, version: &str, cells: Vec<Cell>) {
        self.columns.push((version.to_owned(), cells));
    }

    /// How many passed and failed, on all versions.
    pub(super) fn totals(&self) -> (usize, usize) {
        let cells = self.columns.iter().flat_map(|(_, cells)| cells);
        cells.fold((0, 0), |(passed, failed), cell| {
            (passed + cell.passed, failed + cell.failed)
        })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.programs.iter().map(String::len);
        let width = names.chain([HEAD.len()]).max().unwrap_or(0);
        write!(f, "{HEAD:width$}")?;
        for (version, _) in &self.columns {
            write!(f, "  {version:>8}")?;
        }
        for (index, program) in self.programs.iter().enumerate() {
            write!(f, "\n{program:width$}")?;
            for (_, cells) in &self.columns {
                write!(f, "  {:>8}", cells[index])?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_read_from_the_last_line_that_has_one() {
        let said = "running 4 tests\ntest result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; finished in 0.1s\n";
        assert_eq!(Cell::read(said, false), Cell { passed: 3, failed: 1 });
        let said = "test result: ok. 12 passed; 0 failed; 0 ignored\n";
        assert_eq!(
            Cell::read(said, true),
            Cell {
                passed: 12,
                failed: 0
            }
        );
    }

    #[test]
    fn a_program_that_dies_counts_as_a_failure() {
        assert_eq!(Cell::read("", false), Cell { passed: 0, failed: 1 });
        let said = "test result: ok. 2 passed; 0 failed\n";
        assert_eq!(Cell::read(said, false), Cell { passed: 2, failed: 1 });
    }

    #[test]
    fn the_table_has_a_column_for_each_version() {
        let mut table = Table {
            programs: vec!["a: its own".into(), "b: suite".into()],
            columns: Vec::new(),
        };
        table.add(
            "2.10.1",
            vec![
                Cell { passed: 3, failed: 0 },
                Cell {
                    passed: 10,
                    failed: 2,
                },
            ],
        );
        assert_eq!(table.totals(), (13, 2));
        assert_eq!(
            table.to_string(),
            "passed/failed    2.10.1\na: its own          3/0\nb: suite           10/2"
        );
    }
}
