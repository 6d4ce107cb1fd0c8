//! The table.

use std::fmt;

use super::row::Measured;
use super::{Report, Row};

const COLUMNS: usize = 10;

const HEADINGS: [&str; COLUMNS] = [
    "id", "ours/s", "peer/s", "ratio", "rounds", "to reach", "p50 us", "peer", "cpu us", "peer",
];

impl Row {
    fn cells(&self) -> [String; COLUMNS] {
        let mut cells = self
            .measured
            .as_ref()
            .map_or_else(|| ["-"; COLUMNS].map(str::to_owned), Measured::cells);
        cells[0] = self.id.clone();
        let to_reach = self.to_reach.map(|least| format!("{least:.2}"));
        let words = to_reach.into_iter();
        let words = words.chain(self.shortfalls().into_iter().map(str::to_owned));
        cells[5] = words.collect::<Vec<_>>().join(" ");
        cells
    }

    fn note(&self) -> String {
        let what = format!(
            "{}: {}, {}, {} callers",
            self.id, self.case, self.unit, self.callers
        );
        match (&self.measured, &self.not_run) {
            (Some(measured), _) => format!(
                "{what}; ours: {}; peer: {}, {}",
                measured.ours_setup, self.peer_name, measured.peer_setup
            ),
            (None, reason) => format!(
                "{what}; beside {}; NOT RUN: {}",
                self.peer_name,
                reason.as_deref().unwrap_or_default()
            ),
        }
    }
}

impl Measured {
    fn cells(&self) -> [String; COLUMNS] {
        let [low, _, high] = self.round_ratios;
        let p50 = |p50: Option<f64>| p50.map(|p50| format!("{p50:.0}")).unwrap_or_default();
        [
            String::new(),
            thousands(self.ours),
            thousands(self.peer),
            format!("{:.2}", self.ratio),
            format!("{low:.2}-{high:.2}"),
            String::new(),
            p50(self.ours_p50_us),
            p50(self.peer_p50_us),
            format!("{:.1}", self.ours_cpu_us),
            format!("{:.1}", self.peer_cpu_us),
        ]
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells: Vec<_> = self.rows.iter().map(Row::cells).collect();
        let width = |column: usize| {
            let cells = cells.iter().map(|row| row[column].len());
            cells.chain([HEADINGS[column].len()]).max().unwrap_or_default()
        };
        for row in [HEADINGS.map(str::to_owned)].iter().chain(&cells) {
            write!(f, "{:<1$}", row[0], width(0))?;
            for (column, cell) in row.iter().enumerate().skip(1) {
                write!(f, "  {cell:>0$}", width(column))?;
            }
            writeln!(f)?;
        }
        writeln!(f)?;
        for row in &self.rows {
            writeln!(f, "{}", row.note())?;
        }
        writeln!(f, "{}", self.about)?;
        write!(
            f,
            "others used up to {:.0} % of the time that the processors were busy",
            self.elsewhere()
        )
    }
}

/// `12345.6` becomes `12,346`.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let texts = [0.4, 999.0, 1000.0, 1_234_567.8].map(thousands);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,568"]);
    }
}
