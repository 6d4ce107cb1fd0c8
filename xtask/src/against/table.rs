//! What came of it: a row for each case, for people and for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};

use super::play::Played;
use crate::process;

/// One case: what was played then and now, in pairs.
pub(super) struct Row {
    id: String,
    pairs: Vec<(Played, Played)>,
}

/// The median of several ratios, the least and the most.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

/// All cases of one run.
pub(super) struct Table {
    about: String,
    rows: Vec<Row>,
}

impl Row {
    pub(super) fn new(id: &str) -> Self {
        let (id, pairs) = (id.to_owned(), Vec::new());
        Row { id, pairs }
    }

    pub(super) fn add(&mut self, then: Played, now: Played) {
        self.pairs.push((then, now));
    }

    /// The pair that was added last, in words.
    pub(super) fn last(&self) -> String {
        let Some((then, now)) = self.pairs.last() else {
            return String::new();
        };
        let ratio = now.rate / then.rate;
        let (then, now) = (one(then), one(now));
        format!("then {then}; now {now}; ratio {ratio:.3}")
    }

    /// The pairs that chose the same set-up; all, where none did.
    fn alike(&self) -> Vec<&(Played, Played)> {
        let same = |(then, now): &&(Played, Played)| then.setup == now.setup;
        let alike: Vec<_> = self.pairs.iter().filter(same).collect();
        match alike.is_empty() {
            true => self.pairs.iter().collect(),
            false => alike,
        }
    }

    fn rates(&self) -> Option<Spread> {
        let alike = self.alike().into_iter();
        Spread::of(alike.map(|(then, now)| now.rate / then.rate))
    }

    /// Only of pairs that both have it.
    fn cpu(&self) -> Option<Spread> {
        let known = self.alike().into_iter();
        let known = known.filter(|(then, now)| then.cpu > 0.0 && now.cpu > 0.0);
        Spread::of(known.map(|(then, now)| now.cpu / then.cpu))
    }

    /// The median of a figure, then and now.
    fn medians(&self, of: impl Fn(&Played) -> f64) -> (f64, f64) {
        let then = median(self.pairs.iter().map(|(then, _)| of(then)).collect());
        (then, median(self.pairs.iter().map(|(_, now)| of(now)).collect()))
    }

    /// Which set-ups were chosen how often: a change of the set-up is no change of the code.
    fn setups(&self) -> String {
        let count = |setups: &mut dyn Iterator<Item = &str>| {
            let mut counts = BTreeMap::new();
            setups.for_each(|setup| *counts.entry(setup.to_owned()).or_insert(0) += 1);
            let texts = counts.iter().map(|(setup, count)| format!("{setup} ({count})"));
            texts.collect::<Vec<_>>().join(", ")
        };
        let then = count(&mut self.pairs.iter().map(|(then, _)| &*then.setup));
        let now = count(&mut self.pairs.iter().map(|(_, now)| &*now.setup));
        let alike = self.alike().len();
        format!("{}: ratios of {alike} pairs; then {then}; now {now}", self.id)
    }

    fn json(&self) -> Value {
        let ((rate_then, rate_now), (cpu_then, cpu_now)) =
            (self.medians(|one| one.rate), self.medians(|one| one.cpu));
        json!({
            "id": self.id,
            "unit": self.pairs.first().map(|(then, _)| &then.unit),
            "pairs": self.pairs.len(),
            "then": rate_then,
            "now": rate_now,
            "ratio": self.rates().map(Spread::json),
            "cpu_then": cpu_then,
            "cpu_now": cpu_now,
            "cpu_ratio": self.cpu().map(Spread::json),
        })
    }
}

impl Spread {
    fn of(ratios: impl Iterator<Item = f64>) -> Option<Self> {
        let ratios: Vec<f64> = ratios.collect();
        Some(Spread {
            least: ratios.iter().copied().reduce(f64::min)?,
            most: ratios.iter().copied().reduce(f64::max)?,
            median: median(ratios),
        })
    }

    fn json(self) -> Value {
        json!({"median": self.median, "least": self.least, "most": self.most})
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} ({:.3} to {:.3})", self.median, self.least, self.most)
    }
}

impl Table {
    pub(super) fn new(then: &str, now: &str, load: String) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let about = format!(
            "then: {then}\nnow: {now}\n{cores} cores; load of the machine over a minute: {load} at the start"
        );
        let rows = Vec::new();
        Table { about, rows }
    }

    pub(super) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Notes how busy the machine was at the end.
    pub(super) fn end(&mut self, load: String) {
        self.about.push_str(&format!(", {load} at the end"));
    }

    /// Writes `against.md` and `against.json`, and says where the page is.
    pub(super) fn write(&self) -> Result<PathBuf> {
        let folder = process::target().join("bench");
        fs::create_dir_all(&folder)?;
        let rows: Vec<_> = self.rows.iter().map(Row::json).collect();
        fs::write(folder.join("against.json"), serde_json::to_vec_pretty(&rows)?)?;
        let page = folder.join("against.md");
        fs::write(&page, format!("```text\n{self}\n```\n"))?;
        Ok(page)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.id.len()).max().unwrap_or(0);
        writeln!(
            f,
            "{:width$}  {:>10}  {:>10}  {:<24}  {:>8}  {:>8}  now/then (range)",
            "case", "then", "now", "now/then (range)", "cpu then", "cpu now"
        )?;
        for row in &self.rows {
            let ((then, now), (cpu_then, cpu_now)) =
                (row.medians(|one| one.rate), row.medians(|one| one.cpu));
            let text = |spread: Option<Spread>| spread.map_or("-".to_owned(), |spread| spread.to_string());
            let (rates, cpu) = (text(row.rates()), text(row.cpu()));
            writeln!(
                f,
                "{:width$}  {then:>10.0}  {now:>10.0}  {rates:<24}  {cpu_then:>8.2}  {cpu_now:>8.2}  {cpu}",
                row.id
            )?;
        }
        for row in &self.rows {
            writeln!(f, "{}", row.setups())?;
        }
        f.write_str(&self.about)
    }
}

fn one(played: &Played) -> String {
    format!("{:.0} {}, {:.2} us", played.rate, played.unit, played.cpu)
}

/// The middle value; of an even number, the middle of the two in the middle. 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match (values.len(), values.len() / 2) {
        (0, _) => 0.0,
        (count, middle) if count % 2 == 1 => values[middle],
        (_, middle) => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(rate: f64, cpu: f64, setup: &str) -> Played {
        Played {
            rate,
            cpu,
            unit: "calls/s".into(),
            setup: setup.into(),
        }
    }

    fn row() -> Row {
        let mut row = Row::new("unary");
        row.add(played(100.0, 10.0, "one"), played(90.0, 11.0, "one"));
        row.add(played(200.0, 10.0, "one"), played(200.0, 10.0, "two"));
        row.add(played(100.0, 0.0, "two"), played(120.0, 8.0, "two"));
        row
    }

    #[test]
    fn ratios_are_of_what_was_played_together_and_alike() {
        let rates = row().rates().unwrap();
        assert_eq!((rates.least, rates.most), (0.9, 1.2));
        let mut mixed = Row::new("unary");
        mixed.add(played(100.0, 1.0, "one"), played(50.0, 1.0, "two"));
        assert_eq!(mixed.rates().unwrap().median, 0.5, "there are no others");
    }

    #[test]
    fn processor_time_is_compared_where_both_know_it() {
        let cpu = row().cpu().unwrap();
        assert_eq!((cpu.least, cpu.most), (1.1, 1.1));
        let mut unknown = Row::new("unary");
        unknown.add(played(1.0, 0.0, "one"), played(1.0, 0.0, "one"));
        assert_eq!(unknown.cpu(), None);
    }

    #[test]
    fn the_table_says_what_was_compared_and_in_which_setups() {
        let mut table = Table::new("a1 Then", "b2 Now", "0.5".into());
        table.add(row());
        table.end("1.5".into());
        let text = table.to_string();
        for part in [
            "1.050 (0.900 to 1.200)",
            "unary: ratios of 2 pairs; then one (2), two (1); now one (1), two (2)",
            "then: a1 Then\nnow: b2 Now\n",
            "0.5 at the start, 1.5 at the end",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
