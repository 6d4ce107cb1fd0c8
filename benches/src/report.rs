//! The table for people, and `report.json` for programs.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::about::About;

mod row;
mod table;

pub(crate) use row::Row;

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

    /// Writes `report.json`, and says where.
    pub(crate) fn write(&self) -> Result<PathBuf> {
        let folder = folder();
        fs::create_dir_all(&folder)?;
        let file = folder.join("report.json");
        let mut text = serde_json::to_vec_pretty(&self.rows)?;
        text.push(b'\n');
        fs::write(&file, text)?;
        Ok(file)
    }

    fn elsewhere(&self) -> f64 {
        let measured = self.rows.iter().filter_map(|row| row.measured.as_ref());
        let shares = measured.map(|measured| measured.busy_elsewhere);
        shares.fold(0.0, f64::max) * 100.0
    }
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
