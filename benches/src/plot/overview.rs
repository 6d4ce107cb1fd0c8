//! All cases of a run: ratios beside what is to be reached.

use super::scale::Doubling;
use super::svg::{Anchor, BAD, FAINT, GOOD, GRID, INK, OURS, Svg};

/// One case.
pub(crate) struct Entry {
    pub(crate) id: String,
    /// The smallest of a single round, that of the medians, and the largest; `None` when the case did not run.
    pub(crate) ratios: Option<[f64; 3]>,
    pub(crate) to_reach: Option<f64>,
}

const WIDTH: f64 = 960.0;
const ROW: f64 = 26.0;
const TOP: f64 = 78.0;
const FIELD: (f64, f64) = (270.0, 800.0);

/// Draws a row for each.
pub(crate) fn overview(entries: &[Entry]) -> String {
    let bottom = TOP + ROW * entries.len() as f64;
    let mut svg = Svg::new(WIDTH, bottom + 56.0, "our rate to the peer's: more is better");
    let under = "dot: ratio of the medians; bar: single rounds; mark: what is to be reached";
    svg.text((16.0, 48.0), Anchor::Start, 12, FAINT, under);
    let axis = axis(entries);
    for (x, text) in axis.ticks() {
        let (colour, width) = if text == "1" { (FAINT, 1.5) } else { (GRID, 1.0) };
        svg.line((x, TOP - 8.0), (x, bottom), colour, width);
        svg.text((x, bottom + 20.0), Anchor::Middle, 12, FAINT, &text);
    }
    for (number, entry) in entries.iter().enumerate() {
        row(&mut svg, &axis, TOP + ROW * (number as f64 + 0.5), entry);
    }
    svg.to_string()
}

fn axis(entries: &[Entry]) -> Doubling {
    let values = entries.iter().flat_map(|entry| {
        let ratios = entry.ratios.unwrap_or([1.0; 3]);
        ratios.into_iter().chain(entry.to_reach)
    });
    let values: Vec<f64> = values.filter(|value| *value > 0.0).collect();
    let low = values.iter().copied().fold(0.5, f64::min);
    let high = values.iter().copied().fold(2.0, f64::max);
    Doubling::new(low, high, FIELD)
}

fn row(svg: &mut Svg, axis: &Doubling, y: f64, entry: &Entry) {
    svg.text((FIELD.0 - 14.0, y + 4.0), Anchor::End, 13, INK, &entry.id);
    if let Some(least) = entry.to_reach {
        let x = axis.at(least);
        svg.rect((x - 1.5, y - 9.0), (x + 1.5, y + 9.0), INK);
    }
    let words = (FIELD.1 + 24.0, y + 4.0);
    let Some([low, ratio, high]) = entry.ratios else {
        svg.text(words, Anchor::Start, 13, FAINT, "not run");
        return;
    };
    let (colour, text) = match entry.to_reach {
        Some(least) if ratio < least => (BAD, format!("{ratio:.2} of {least:.2}")),
        Some(least) => (GOOD, format!("{ratio:.2} of {least:.2}")),
        None => (OURS, format!("{ratio:.2}")),
    };
    svg.line((axis.at(low), y), (axis.at(high), y), colour, 3.0);
    svg.dot((axis.at(ratio), y), 5.5, colour);
    svg.text(words, Anchor::Start, 13, colour, &text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_falls_short_is_seen() {
        let entry = |ratio, to_reach| Entry {
            id: "a_case".to_owned(),
            ratios: Some([ratio / 2.0, ratio, ratio * 2.0]),
            to_reach,
        };
        let good = overview(&[entry(2.0, Some(1.5))]);
        assert!(good.contains("2.00 of 1.50") && !good.contains(BAD), "{good}");
        let both = overview(&[entry(0.03, Some(3.0)), entry(1.0, None)]);
        assert!(both.contains("0.03 of 3.00") && both.contains(BAD), "{both}");
    }

    #[test]
    fn what_did_not_run_has_its_row() {
        let entry = Entry {
            id: "a_case".to_owned(),
            ratios: None,
            to_reach: Some(1.0),
        };
        let svg = overview(&[entry]);
        assert!(svg.contains("a_case") && svg.contains("not run"), "{svg}");
    }
}
