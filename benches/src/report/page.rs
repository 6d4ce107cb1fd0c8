//! The page: all of a run in Markdown, with its plots.

use std::fmt::Write as _;

use super::{OVERVIEW, Report, SOAK_PLOT};

impl Report {
    /// `soaked` is what the last soak said.
    pub(super) fn page(&self, soaked: Option<&str>) -> String {
        let mut page = format!(
            "# What a call costs on micro, beside its peers\n\n```text\n{self}\n```\n\n`benches/README.md` says how to read \
             this, and what is compared with what. All figures: `report.json`.\n\n![ratios]({OVERVIEW})\n"
        );
        if let Some(soaked) = soaked {
            // Writing into a text cannot fail.
            let _ = write!(page, "\n# Soak\n\n{soaked}\n![soak]({SOAK_PLOT})\n");
        }
        page.push_str("\n# Rounds\n\n");
        for (row, _) in self.measured() {
            let _ = writeln!(page, "![{}]({})\n", row.id, row.plot());
        }
        page
    }
}
