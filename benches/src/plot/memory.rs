//! Memory over time.

use super::scale::Linear;
use super::svg::{Anchor, FAINT, GRID, INK, OURS, PEER, Svg};

const FIELD: (f64, f64) = (76.0, 780.0);
const BOTTOM: f64 = 300.0;

/// Draws samples, one a second, in MiB, and a line through those from `first` on, given by its two ends.
pub(crate) fn memory(title: &str, under: &str, samples: &[f64], first: usize, ends: (f64, f64)) -> String {
    let mut svg = Svg::new(820.0, 350.0, title);
    svg.text((16.0, 50.0), Anchor::Start, 12, FAINT, under);
    let highest = samples.iter().copied().fold(1.0, f64::max);
    let heights = Linear::upwards(0.0, 1.2 * highest);
    for (y, text) in heights.ticks() {
        svg.line((FIELD.0, y), (FIELD.1, y), GRID, 1.0);
        svg.text((FIELD.0 - 10.0, y + 4.0), Anchor::End, 12, FAINT, &text);
    }
    let last = samples.len().saturating_sub(1).max(1);
    let x = |second: usize| FIELD.0 + (FIELD.1 - FIELD.0) * second as f64 / last as f64;
    for second in (0..=last).step_by(every(last)) {
        svg.line((x(second), BOTTOM), (x(second), BOTTOM + 4.0), FAINT, 1.0);
        svg.text(
            (x(second), BOTTOM + 20.0),
            Anchor::Middle,
            12,
            FAINT,
            &clock(second),
        );
    }
    svg.text(
        (FIELD.0, BOTTOM + 40.0),
        Anchor::Start,
        12,
        FAINT,
        "MiB over minutes:seconds",
    );
    let points = samples.iter().enumerate();
    let points: Vec<_> = points
        .map(|(second, sample)| (x(second), heights.at(*sample)))
        .collect();
    svg.curve(&points, OURS);
    svg.line(
        (x(first), heights.at(ends.0)),
        (x(last), heights.at(ends.1)),
        PEER,
        1.5,
    );
    svg.text(
        (FIELD.1, BOTTOM + 40.0),
        Anchor::End,
        12,
        INK,
        "blue: resident memory; brown: the line that is judged",
    );
    svg.to_string()
}

/// About ten marks.
fn every(last: usize) -> usize {
    let steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800];
    steps
        .into_iter()
        .find(|step| last / step <= 10)
        .unwrap_or(last / 10)
}

fn clock(second: usize) -> String {
    format!("{}:{:02}", second / 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_drawn_and_the_time_is_told() {
        let samples = vec![20.0; 601];
        let svg = memory("soak", "flat", &samples, 120, (20.0, 20.0));
        let points = svg.split_once("points=\"").unwrap().1.split_once('"').unwrap().0;
        assert_eq!(points.split(' ').count(), 601);
        assert!(svg.contains(">10:00<"), "{svg}");
    }
}
