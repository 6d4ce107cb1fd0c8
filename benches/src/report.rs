//! The table and the page for people, and `report.json` for programs.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::about::About;
use crate::plot;

mod page;
mod row;
mod table;

use row::Measured;
pub(crate) use row::Row;

const OVERVIEW: &str = "overview.svg";

/// Where a soak leaves its words, and its plot.
pub(crate) const SOAK_TEXT: &str = "soak.md";
pub(crate) const SOAK_PLOT: &str = "soak.svg";

/// All cases of one run.
pub(crate) struct Report {
    about: About,
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn new(about: About) -> Self {
        Report {
            about,
            rows: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Writes `report.json`, `report.md` and the plots, and says where the page is.
    pub(crate) fn write(&self) -> Result<PathBuf> {
        let folder = folder();
        fs::create_dir_all(&folder)?;
        let mut text = serde_json::to_vec_pretty(&self.rows)?;
        text.push(b'\n');
        fs::write(folder.join("report.json"), text)?;
        fs::write(folder.join(OVERVIEW), self.overview())?;
        for (row, measured) in self.measured() {
            let plot = plot::rounds(&row.id, row.unit, &measured.rounds);
            fs::write(folder.join(row.plot()), plot)?;
        }
        let page = folder.join("report.md");
        fs::write(&page, self.page(soaked(&folder).as_deref()))?;
        Ok(page)
    }

    fn overview(&self) -> String {
        let entries = self.rows.iter().map(|row| plot::Entry {
            id: row.id.clone(),
            ratios: row.measured.as_ref().map(Measured::ratios),
            to_reach: row.to_reach,
        });
        plot::overview(&entries.collect::<Vec<_>>())
    }

    fn measured(&self) -> impl Iterator<Item = (&Row, &Measured)> {
        self.rows
            .iter()
            .filter_map(|row| row.measured.as_ref().map(|measured| (row, measured)))
    }

    fn elsewhere(&self) -> f64 {
        let shares = self.measured().map(|(_, measured)| measured.busy_elsewhere);
        shares.fold(0.0, f64::max) * 100.0
    }
}

/// What the last soak into the same folder said.
fn soaked(folder: &Path) -> Option<String> {
    fs::read_to_string(folder.join(SOAK_TEXT)).ok()
}

/// `bench` in the folder that cargo builds into.
pub(crate) fn folder() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&manifest).parent().unwrap_or(Path::new("."));
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root.join(target).join("bench")
}

#[cfg(test)]
mod tests;
