//! How the values of flags are written.

use std::time::Duration;

use micro_core::client::{Hedge, RetryBudget};
use micro_core::{Result, name, selector};

/// `90s`, `1m 30s`, `500ms`, and bare seconds as go-micro has them.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let duration = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => humantime::parse_duration(text)
            .map_err(|error| format!("{error}; write it as 90s, 500ms, or 90 for seconds"))?,
    };
    match duration.is_zero() {
        true => Err("it is longer than zero".into()),
        false => Ok(duration),
    }
}

/// `50us`, or `0` for none. Bare seconds would be far too long.
#[cfg(feature = "nats")]
pub(super) fn busy_poll(text: &str) -> Result<Duration, String> {
    match text {
        "0" => Ok(Duration::ZERO),
        _ => match humantime::parse_duration(text) {
            Ok(duration) if duration <= nats_common::LONGEST_BUSY_POLL => Ok(duration),
            _ => Err("write it as 50us, at most 10ms, or as 0 for none".into()),
        },
    }
}

/// A ratio such as `0.2`. Without any, there is nothing to spend at first, either.
pub(super) fn retry_budget(text: &str) -> Result<RetryBudget, String> {
    match text.parse() {
        Ok(0.0) => Ok(RetryBudget::new(0.0, 0)),
        Ok(ratio) if (0.0..=1_000.0).contains(&ratio) => {
            Ok(RetryBudget::new(ratio, RetryBudget::default().burst))
        }
        _ => Err("write it as a number from 0 to 1000, such as 0.2".into()),
    }
}

/// `50ms`, or a percentile such as `p95` or `p99.9`.
pub(super) fn hedge(text: &str) -> Result<Hedge, String> {
    let Some(percent) = text.strip_prefix('p') else {
        return duration(text).map(Hedge::After);
    };
    match percent.parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Hedge::Percentile(percent / 100.0)),
        _ => Err("write it as p95, or as 50ms".into()),
    }
}

pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("write it as key=value".into()),
    }
}

pub(super) fn service_name(text: &str) -> Result<String> {
    name::check_service(text).map(|()| text.to_owned())
}

pub(super) fn selector_name(text: &str) -> Result<String> {
    selector::strategy(text).map(|_| text.to_owned())
}
