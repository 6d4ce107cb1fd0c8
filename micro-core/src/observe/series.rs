//! Series of metrics that were looked up once, and are kept: a recorder finds one by its labels, which takes longer than to
//! count.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, SharedString, counter, gauge, histogram};
use parking_lot::RwLock;
use tokio::time::Instant;

use crate::observe::kind::Kind;
use crate::observe::names::{METHODS, TOPICS};
use crate::observe::recorder::is_lasting;
use crate::rpc::Code;

pub(super) const METHOD: &str = "rpc.method";
pub(super) const CODE: &str = "rpc.response.status_code";
pub(super) const TOPIC: &str = "messaging.destination.name";
const ERROR: &str = "error.type";

/// How long a series is kept. A recorder may forget one that nothing was added to, and what is added to it afterwards is
/// lost; those that do so wait longer than this.
const KEPT: Duration = Duration::from_secs(5);

/// What ends with a code, by its name, of one kind: at most those that are told apart, with the few codes that each
/// ends with.
pub(super) struct Series {
    kind: Kind,
    kept: RwLock<HashMap<Arc<str>, Vec<Kept>>>,
}

struct Kept {
    code: Code,
    since: Instant,
    ended: Ended,
}

struct Ended {
    count: Counter,
    duration: Option<Histogram>,
}

impl Series {
    pub(super) fn of(kind: Kind) -> &'static Series {
        static ALL: LazyLock<[Series; 4]> =
            LazyLock::new(|| [Kind::Client, Kind::Server, Kind::Producer, Kind::Consumer].map(Series::new));
        &ALL[kind as usize]
    }

    fn new(kind: Kind) -> Self {
        Series {
            kind,
            kept: RwLock::default(),
        }
    }

    /// How many run now. Of events that are published none do: they are on their way before anybody could look.
    pub(super) fn active(&self) -> Option<Gauge> {
        self.kind.active().map(|name| gauge!(name))
    }

    /// One more has ended, that began then.
    pub(super) fn ended(&self, name: &Arc<str>, code: Code, began: Instant) {
        let now = Instant::now();
        let took = now - began;
        let lasting = is_lasting();
        if lasting && let Some(kept) = find(self.kept.read().get(&**name), code, now) {
            return kept.ended.note(took);
        }
        let shown = self.shown(name, code);
        let ended = self.kind.ended(shown.clone(), code);
        ended.note(took);
        // What is not told apart has no place of its own.
        if lasting && *shown == **name {
            let since = now;
            let mut kept = self.kept.write();
            let codes = kept.entry(name.clone()).or_default();
            codes.retain(|kept| kept.code != code);
            codes.push(Kept { code, since, ended });
        }
    }

    fn shown(&self, name: &Arc<str>, code: Code) -> SharedString {
        match self.kind.is_rpc() {
            true => METHODS.of_call(name, code),
            false => TOPICS.name(name),
        }
    }
}

fn find(codes: Option<&Vec<Kept>>, code: Code, now: Instant) -> Option<&Kept> {
    let found = codes?.iter().find(|kept| kept.code == code);
    found.filter(|kept| now - kept.since < KEPT)
}

impl Ended {
    fn note(&self, took: Duration) {
        self.count.increment(1);
        if let Some(duration) = &self.duration {
            duration.record(took);
        }
    }
}

impl Kind {
    fn active(self) -> Option<&'static str> {
        match self {
            Kind::Client => Some("rpc.client.active_requests"),
            Kind::Server => Some("rpc.server.active_requests"),
            Kind::Consumer => Some("messaging.process.active_messages"),
            Kind::Producer => None,
        }
    }

    fn ended(self, name: SharedString, code: Code) -> Ended {
        match self {
            Kind::Client => call("rpc.client.calls", "rpc.client.call.duration", name, code),
            Kind::Server => call("rpc.server.calls", "rpc.server.call.duration", name, code),
            Kind::Producer => Ended {
                count: events("messaging.client.sent.messages", name, code),
                duration: None,
            },
            Kind::Consumer => Ended {
                count: events("messaging.client.consumed.messages", name.clone(), code),
                duration: Some(histogram!("messaging.process.duration", TOPIC => name)),
            },
        }
    }
}

fn call(calls: &'static str, duration: &'static str, method: SharedString, code: Code) -> Ended {
    Ended {
        count: counter!(calls, METHOD => method.clone(), CODE => code.name()),
        duration: Some(histogram!(duration, METHOD => method, CODE => code.name())),
    }
}

fn events(name: &'static str, topic: SharedString, code: Code) -> Counter {
    match code {
        Code::Ok => counter!(name, TOPIC => topic),
        code => counter!(name, TOPIC => topic, ERROR => code.name()),
    }
}
