//! Faults in an order that a seed decides.

use std::fmt::Debug;
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::Result;
use fastrand::Rng;
use tokio::time::sleep;

/// What faults can befall, one after the other.
pub(super) trait Faults {
    type Fault: Copy + Debug + 'static;

    /// Each of them.
    const ALL: &[Self::Fault];

    /// Has a fault come, and go.
    async fn strike(&mut self, fault: Self::Fault, rng: &mut Rng) -> Result<()>;
}

/// Strikes until then, with calm in between: every fault once, in any order, and so on.
pub(super) async fn rage<F: Faults>(mut victims: F, mut rng: Rng, until: Instant) -> Result<F> {
    let begun = Instant::now();
    loop {
        let mut faults = F::ALL.to_vec();
        rng.shuffle(&mut faults);
        for fault in faults {
            if Instant::now() >= until {
                return Ok(victims);
            }
            sleep(seconds(&mut rng, 0.2..1.5)).await;
            let from = begun.elapsed();
            victims.strike(fault, &mut rng).await?;
            eprintln!(
                "{:6.1} to {:5.1} s: {fault:?}",
                from.as_secs_f64(),
                begun.elapsed().as_secs_f64()
            );
        }
    }
}

pub(super) fn seconds(rng: &mut Rng, range: Range<f64>) -> Duration {
    Duration::from_secs_f64(range.start + rng.f64() * (range.end - range.start))
}
