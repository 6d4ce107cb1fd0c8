//! Axes: from values to pixels, and where the lines of the grid are.

/// The height of a plot's field; what is above it has the title, what is below the axis.
const FIELD: (f64, f64) = (64.0, 300.0);

/// Even steps from zero, or from some value.
#[derive(Clone, Copy)]
pub(super) struct Linear {
    values: (f64, f64),
    pixels: (f64, f64),
    step: f64,
}

impl Linear {
    /// Spans these values, rounded to whole steps.
    pub(super) fn new(low: f64, high: f64, pixels: (f64, f64)) -> Self {
        let step = step((high - low).max(f64::MIN_POSITIVE) / 4.0);
        let values = ((low / step).floor() * step, (high / step).ceil().max(1.0) * step);
        Linear { values, pixels, step }
    }

    /// For heights, from the bottom up.
    pub(super) fn upwards(low: f64, high: f64) -> Self {
        Linear::new(low, high, (FIELD.1, FIELD.0))
    }

    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value - self.values.0) / (self.values.1 - self.values.0);
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }

    /// Each line of the grid, with its text.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let count = ((self.values.1 - self.values.0) / self.step).round() as u32;
        let value = |tick: u32| self.values.0 + f64::from(tick) * self.step;
        (0..=count)
            .map(|tick| (self.at(value(tick)), short(value(tick))))
            .collect()
    }
}

/// Doublings.
pub(super) struct Doubling {
    exponents: (i32, i32),
    pixels: (f64, f64),
}

impl Doubling {
    /// Spans these values, which are above zero, rounded to whole doublings.
    pub(super) fn new(low: f64, high: f64, pixels: (f64, f64)) -> Self {
        let low = low.log2().floor() as i32;
        let high = high.log2().ceil() as i32;
        Doubling {
            exponents: (low, high.max(low + 1)),
            pixels,
        }
    }

    pub(super) fn at(&self, value: f64) -> f64 {
        let (low, high) = (f64::from(self.exponents.0), f64::from(self.exponents.1));
        let share = (value.log2() - low) / (high - low);
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }

    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let text = |exponent: i32| match exponent {
            0.. => format!("{}", 2_u64.pow(exponent.unsigned_abs())),
            _ => format!("1/{}", 2_u64.pow(exponent.unsigned_abs())),
        };
        (self.exponents.0..=self.exponents.1)
            .map(|exponent| (self.at(2_f64.powi(exponent)), text(exponent)))
            .collect()
    }
}

/// The next of 1, 2, 5, 10, 20 and so on.
fn step(least: f64) -> f64 {
    let ten = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * ten);
    steps
        .into_iter()
        .find(|step| *step >= least)
        .unwrap_or(10.0 * ten)
}

/// `1250000` becomes `1.25M`.
pub(super) fn short(value: f64) -> String {
    let (value, unit) = match value.abs() {
        1e6.. => (value / 1e6, "M"),
        1e3.. => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let digits = format!("{value:.2}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    format!("{digits}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_reach_beyond_the_values() {
        let axis = Linear::new(0.0, 93_000.0, (0.0, 100.0));
        let texts: Vec<_> = axis.ticks().into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["0", "50k", "100k"]);
        assert_eq!(axis.at(50_000.0), 50.0);
    }

    #[test]
    fn a_doubling_is_always_as_wide() {
        let axis = Doubling::new(0.3, 5.0, (0.0, 50.0));
        let ticks = axis.ticks();
        assert_eq!(ticks[0], (0.0, "1/4".to_owned()));
        assert_eq!(ticks[5], (50.0, "8".to_owned()));
        assert_eq!(axis.at(1.0), 20.0);
    }

    #[test]
    fn large_numbers_are_short() {
        let texts = [0.0, 999.0, 1_500.0, 1_250_000.0].map(short);
        assert_eq!(texts, ["0", "999", "1.5k", "1.25M"]);
    }
}
