//! Where spans and metrics are sent.

use std::env;

/// What OpenTelemetry's exporters by HTTP take when nothing is said.
const DEFAULT: &str = "http://localhost:4318";

/// The URL of either.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    pub(crate) traces: String,
    pub(crate) metrics: String,
}

impl Endpoints {
    /// Of a collector at this URL.
    pub(crate) fn below(collector: &str) -> Self {
        let at = |path| format!("{}/v1/{path}", collector.trim_end_matches('/'));
        Endpoints {
            traces: at("traces"),
            metrics: at("metrics"),
        }
    }

    /// As the exporters read the environment: a URL of one kind is taken as it is.
    pub(crate) fn from_env() -> Self {
        Endpoints::said_by(|variable| env::var(variable).ok())
    }

    fn said_by(variable: impl Fn(&str) -> Option<String>) -> Self {
        let said = |variable_of: &str| variable(variable_of).filter(|value| !value.is_empty());
        let collector = said("OTEL_EXPORTER_OTLP_ENDPOINT");
        let below = Endpoints::below(collector.as_deref().unwrap_or(DEFAULT));
        Endpoints {
            traces: said("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").unwrap_or(below.traces),
            metrics: said("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT").unwrap_or(below.metrics),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_one_kind_beats_that_of_the_collector() {
        let endpoints = Endpoints::said_by(|variable| match variable {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => Some("http://here:1/".to_owned()),
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT" => Some("http://there:2/m".to_owned()),
            _ => None,
        });
        assert_eq!(endpoints.traces, "http://here:1/v1/traces");
        assert_eq!(endpoints.metrics, "http://there:2/m");
    }

    #[test]
    fn what_is_not_said_is_on_this_machine() {
        let endpoints = Endpoints::said_by(|_| Some(String::new()));
        assert_eq!(endpoints.traces, "http://localhost:4318/v1/traces");
    }
}
