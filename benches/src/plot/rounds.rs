//! The rounds of one case.

use super::scale::{Linear, short};
use super::svg::{Anchor, FAINT, GRID, OURS, PEER, Svg};

const FIELD: (f64, f64) = (76.0, 610.0);
const BOTTOM: f64 = 300.0;

/// Draws both sides' rates, round by round.
pub(crate) fn rounds(id: &str, unit: &str, rounds: &[[f64; 2]]) -> String {
    let mut svg = Svg::new(720.0, 350.0, id);
    let highest = rounds.iter().flatten().copied().fold(1.0, f64::max);
    let heights = Linear::upwards(0.0, highest);
    for (y, text) in heights.ticks() {
        svg.line((FIELD.0, y), (FIELD.1, y), GRID, 1.0);
        svg.text((FIELD.0 - 10.0, y + 4.0), Anchor::End, 12, FAINT, &text);
    }
    svg.text((16.0, 50.0), Anchor::Start, 12, FAINT, unit);
    let x = |number: usize| FIELD.0 + (FIELD.1 - FIELD.0) * (number as f64 + 0.5) / rounds.len() as f64;
    let every = rounds.len().div_ceil(20);
    for number in (0..rounds.len()).step_by(every) {
        let text = (number + 1).to_string();
        svg.text((x(number), BOTTOM + 20.0), Anchor::Middle, 12, FAINT, &text);
    }
    svg.text((FIELD.1, BOTTOM + 40.0), Anchor::End, 12, FAINT, "round");
    let mut label = f64::NAN;
    for (side, name, colour) in [(0, "ours", OURS), (1, "peer", PEER)] {
        let points = rounds.iter().enumerate();
        let points: Vec<_> = points
            .map(|(number, rates)| (x(number), heights.at(rates[side])))
            .collect();
        svg.curve(&points, colour);
        points.iter().for_each(|point| svg.dot(*point, 3.5, colour));
        if let (Some((_, y)), Some(last)) = (points.last(), rounds.last()) {
            // Two texts at one height cannot be read.
            let y = if (y - label).abs() < 16.0 {
                label + 16.0
            } else {
                *y
            };
            let text = format!("{name} {}", short(last[side]));
            svg.text((FIELD.1 + 4.0, y + 4.0), Anchor::Start, 12, colour, &text);
            label = y;
        }
    }
    svg.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_of_both_sides_is_drawn() {
        let svg = rounds("a_case", "calls/s", &[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        assert_eq!(svg.matches("<circle").count(), 6);
        assert!(svg.contains("ours 5") && svg.contains("peer 6"), "{svg}");
    }
}
