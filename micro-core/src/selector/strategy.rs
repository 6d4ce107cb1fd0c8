//! How one node is picked among several, and the names for it.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::selector::{
    Candidates, ConsistentHash, LeastLoaded, PeakEwma, Prefer, Random, RoundRobin, Target,
};

/// Picks one of several nodes. Called for every call, so it neither waits nor allocates.
pub trait Strategy: fmt::Debug + Send + Sync + 'static {
    /// One of the candidates; `None` only when there are none.
    fn pick<'a>(&self, candidates: &Candidates<'a, '_>) -> Option<&'a Arc<Target>>;

    /// Whether it looks at [`Target::latency`], which is measured only then. Default: no.
    fn measures(&self) -> bool {
        false
    }

    /// The header whose value is the key of a call that says none. Default: none.
    fn key_header(&self) -> Option<&str> {
        None
    }
}

/// The names by which a flag chooses a strategy.
pub fn strategies() -> [&'static str; 5] {
    [
        "random",
        "round_robin",
        "least_loaded",
        "peak_ewma",
        "consistent_hash",
    ]
}

/// What may stand before the name of a strategy, each followed by `+`.
const PREFERENCES: &str = "zone:NAME, version:VERSION, label:KEY=VALUE";

/// The strategy of that name; go-micro's spelling `roundrobin` and hyphens are accepted.
///
/// `consistent_hash:HEADER` takes the key of a call from a header. [Preferences](Prefer) stand before the name, the
/// first weighing most, each followed by `+`: `zone:eu-1+label:disk=ssd+peak_ewma`. Without a name after them, nodes
/// are picked at random.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] that lists the known names.
pub fn strategy(name: &str) -> Result<Arc<dyn Strategy>> {
    let (first, rest) = match name.split_once('+') {
        Some((first, rest)) => (first, Some(rest)),
        None => (name, None),
    };
    let (kind, value) = match first.split_once(':') {
        Some((kind, value)) => (kind, Some(value).filter(|value| !value.is_empty())),
        None => (first, None),
    };
    if let Some(strategy) = preference(kind, value, rest) {
        return strategy;
    }
    match rest {
        None => plain(kind, value).ok_or_else(|| unknown(name)),
        Some(_) => Err(unknown(name)),
    }
}

fn plain(kind: &str, value: Option<&str>) -> Option<Arc<dyn Strategy>> {
    Some(match (kind.replace('-', "_").as_str(), value) {
        ("random", None) => Arc::new(Random),
        ("round_robin" | "roundrobin", None) => Arc::new(RoundRobin::default()),
        ("least_loaded", None) => Arc::new(LeastLoaded),
        ("peak_ewma", None) => Arc::new(PeakEwma),
        ("consistent_hash", None) => Arc::new(ConsistentHash::new()),
        ("consistent_hash", Some(header)) => Arc::new(ConsistentHash::new().by_header(header.to_owned())),
        _ => return None,
    })
}

/// `None` when it is none.
fn preference(kind: &str, value: Option<&str>, rest: Option<&str>) -> Option<Result<Arc<dyn Strategy>>> {
    let value = value?;
    let among = || strategy(rest.unwrap_or("random"));
    let prefer = match kind {
        "zone" => among().map(|among| Prefer::zone(value.to_owned(), among)),
        "version" => among().map(|among| Prefer::version(value.to_owned(), among)),
        "label" => {
            let (key, value) = value.split_once('=')?;
            among().map(|among| Prefer::label(key.to_owned(), value.to_owned(), among))
        }
        _ => return None,
    };
    Some(prefer.map(|prefer| Arc::new(prefer) as _))
}

fn unknown(name: &str) -> Error {
    let known = strategies().join(", ");
    Error::new(
        ErrorKind::InvalidArgument,
        format!("unknown selector {name:?}; known: {known}; before them, each followed by +: {PREFERENCES}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selector::target::tests::{target, targets};

    #[test]
    fn every_strategy_picks_every_node_and_none_of_none() {
        for name in strategies() {
            let strategy = strategy(name).unwrap();
            assert!(strategy.pick(&Candidates::new(&[])).is_none(), "{name}");
            let targets = targets(3);
            let picked: std::collections::HashSet<_> = (0..300)
                .map(|_| strategy.pick(&Candidates::new(&targets)).unwrap())
                .map(|target| target.node().id.clone())
                .collect();
            assert_eq!(picked.len(), 3, "{name}");
        }
    }

    #[test]
    fn an_unknown_strategy_lists_the_known() {
        for name in [
            "best",
            "",
            "random:7",
            "random+random",
            "zone:",
            "zone:a+best",
            "label:a",
            "zone",
            "peak_ewma+zone:a",
        ] {
            let error = strategy(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            let error = error.to_string();
            assert!(error.contains("consistent_hash; before"), "{error}");
            assert!(error.contains("label:KEY=VALUE"), "{error}");
        }
    }

    #[test]
    fn preferences_stand_before_a_name() {
        let targets = [
            target("1", &[("zone", "a"), ("disk", "ssd")]),
            target("2", &[("zone", "a")]),
            target("3", &[]),
        ];
        let candidates = Candidates::new(&targets);
        for (name, expected) in [
            ("zone:a+label:disk=ssd+round-robin", "1"),
            ("label:disk=ssd", "1"),
            ("zone:b+label:disk=ssd+peak_ewma", "1"),
        ] {
            let strategy = strategy(name).unwrap();
            assert_eq!(strategy.pick(&candidates).unwrap().node().id, expected, "{name}");
        }
        assert!(strategy("zone:a+peak_ewma").unwrap().measures());
        let sticky = strategy("zone:a+consistent_hash:Tenant").unwrap();
        assert_eq!(sticky.key_header(), Some("Tenant"));
    }
}
