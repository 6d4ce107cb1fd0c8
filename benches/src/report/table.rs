//! The table.

use std::fmt;

use super::{Report, Row};

const HEADINGS: [&str; 10] = [
    "id", "ours/s", "peer/s", "ratio", "rounds", "to reach", "p50 us", "peer", "cpu us", "peer",
];

impl Row {
    fn cells(&self) -> [String; 10] {
        let [low, _, high] = self.round_ratios;
        let short = self.to_reach.is_some_and(|least| self.ratio < least);
        let to_reach = self
            .to_reach
            .map(|least| format!("{least:.2}"))
            .unwrap_or_default();
        [
            self.id.clone(),
            thousands(self.ours),
            thousands(self.peer),
            format!("{:.2}", self.ratio),
            format!("{low:.2}-{high:.2}"),
            if short {
                format!("{to_reach} SHORT")
            } else {
                to_reach
            },
            format!("{:.0}", self.ours_p50_us),
            format!("{:.0}", self.peer_p50_us),
            format!("{:.1}", self.ours_cpu_us),
            format!("{:.1}", self.peer_cpu_us),
        ]
    }

    fn note(&self) -> String {
        format!(
            "{}: {}, {}, {} callers; ours: {}; peer: {}, {}",
            self.id, self.case, self.unit, self.callers, self.ours_setup, self.peer_name, self.peer_setup
        )
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
