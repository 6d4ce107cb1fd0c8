//! The nodes of one service: those that are called, and those that are set aside.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::registry::{Action, Change, Node, ServiceRecord};
use crate::selector::{OutlierDetection, Pick, Target, Verdict};

pub(super) type Targets = Arc<[Arc<Target>]>;

/// The nodes of one service.
#[derive(Debug, Default)]
pub(super) struct Roster {
    members: Vec<Member>,
    /// Those that may be called. Empty only when there are no members.
    open: Targets,
    /// When the next of those that are set aside is tried; `None` when none is.
    due: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Member {
    target: Arc<Target>,
    standing: Standing,
    /// How many times in a row it was set aside soon after it had come back, and for how long the last time.
    times: u32,
    last: Duration,
    back: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Standing {
    /// It is called as all are.
    In,
    /// It is not called before this time.
    Aside(Instant),
    /// It is called once, by whoever picks it first.
    OnTrial,
}

impl Roster {
    /// Those that may be called now.
    pub(super) fn open(&mut self) -> &Targets {
        if self.due.is_some() {
            self.advance(Instant::now());
        }
        &self.open
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Arc<Target>> {
        self.members.iter().map(|member| member.target.clone()).collect()
    }

    /// Takes in an answer of the registry. It may be older than what is known of a node, so whoever is set aside stays
    /// so.
    pub(super) fn replace(&mut self, records: Vec<ServiceRecord>) {
        self.members = members(records, &self.members);
        self.settle(Instant::now());
    }

    /// Takes in a change. A node that is said to be there is worth a call.
    pub(super) fn apply(&mut self, change: Change) {
        let Change { action, service } = change;
        if action == Action::Delete {
            let gone = |member: &Member| {
                service
                    .nodes
                    .iter()
                    .any(|node| node.id == member.target.node().id)
            };
            self.members.retain(|member| !gone(member));
        } else {
            let mut fresh = members([service], &self.members);
            fresh.iter_mut().for_each(Member::recall);
            let is_fresh = |id: &str| fresh.iter().any(|new| new.target.node().id == id);
            self.members.retain(|member| !is_fresh(&member.target.node().id));
            self.members.extend(fresh);
        }
        self.settle(Instant::now());
    }

    /// Whether the caller is the one who tries the node.
    pub(super) fn begin_trial(&mut self, target: &Target) -> bool {
        let now = Instant::now();
        let on_trial = |member: &&mut Member| member.is(target) && member.standing == Standing::OnTrial;
        let Some(member) = self.members.iter_mut().find(on_trial) else {
            return false;
        };
        // A call that never ends, or whose caller leaves, is followed by another one as late as one that fails.
        member.set(Standing::Aside(now + jittered(member.last)));
        self.settle(now);
        true
    }

    /// Takes in how a call ended. What was sent before the node came or went says nothing of it now.
    pub(super) fn judge(&mut self, pick: &Pick, verdict: Verdict, how: &OutlierDetection) {
        let now = Instant::now();
        let may_eject = self.may_eject(how);
        let judged = |member: &&mut Member| member.is(pick) && pick.is_current();
        let Some(member) = self.members.iter_mut().find(judged) else {
            return;
        };
        match verdict {
            Verdict::Answered if member.standing == Standing::In => return member.target.is_well_again(),
            Verdict::Answered => member.take_back(now),
            Verdict::Failed if member.standing == Standing::In && !may_eject => return,
            cause => member.set_aside(cause, how, now),
        }
        self.settle(now);
    }

    /// Whether one more may be set aside on suspicion.
    fn may_eject(&self, how: &OutlierDetection) -> bool {
        let is_aside = |member: &&Member| member.standing != Standing::In;
        let aside = self.members.iter().filter(is_aside).count();
        (aside + 1) as f64 <= self.members.len() as f64 * how.max_share
    }

    fn advance(&mut self, now: Instant) {
        if self.due.is_none_or(|due| now < due) {
            return;
        }
        for member in &mut self.members {
            if matches!(member.standing, Standing::Aside(until) if until <= now) {
                member.set(Standing::OnTrial);
            }
        }
        self.settle(now);
    }

    /// When none is left to call, all are as good as any: that is so when this side has lost its connection, too.
    fn settle(&mut self, now: Instant) {
        if self.members.iter().all(Member::is_aside) {
            self.members.iter_mut().for_each(|member| member.take_back(now));
        }
        let open = self.members.iter().filter(|member| !member.is_aside());
        self.open = open.map(|member| member.target.clone()).collect();
        let until = |member: &Member| match member.standing {
            Standing::Aside(until) => Some(until),
            Standing::In | Standing::OnTrial => None,
        };
        self.due = self.members.iter().filter_map(until).min();
    }
}

impl Member {
    fn new(target: Arc<Target>) -> Self {
        Member {
            target,
            standing: Standing::In,
            times: 0,
            last: Duration::ZERO,
            back: None,
        }
    }

    fn is(&self, target: &Target) -> bool {
        self.target.is_same(target)
    }

    fn is_aside(&self) -> bool {
        matches!(self.standing, Standing::Aside(_))
    }

    fn set(&mut self, standing: Standing) {
        self.standing = standing;
        self.target
            .change(standing == Standing::In, standing == Standing::OnTrial);
    }

    fn take_back(&mut self, now: Instant) {
        tracing::debug!(node = %self.target.node().id, "a node is called again");
        self.back = Some(now);
        self.set(Standing::In);
    }

    fn set_aside(&mut self, cause: Verdict, how: &OutlierDetection, now: Instant) {
        let fares_well = |back: Instant| now.saturating_duration_since(back) > self.last * 2;
        if self.standing == Standing::In && self.back.is_some_and(fares_well) {
            self.times = 0;
        }
        self.last = how.ejection(cause, self.times);
        self.times = self.times.saturating_add(1);
        tracing::debug!(node = %self.target.node().id, ?cause, time = ?self.last, "a node is set aside");
        self.set(Standing::Aside(now + jittered(self.last)));
    }

    /// The registry has said that it is there.
    fn recall(&mut self) {
        if self.is_aside() {
            self.set(Standing::OnTrial);
        }
    }
}

/// 20 % more or less, so that not everybody who set a node aside comes back to it at once.
fn jittered(time: Duration) -> Duration {
    time.mul_f64(0.8 + 0.4 * fastrand::f64())
}

/// Members for the nodes that can be dialled. What is known of a node that stays where it was stays, too.
fn members(records: impl IntoIterator<Item = ServiceRecord>, known: &[Member]) -> Vec<Member> {
    let of_record = |record: ServiceRecord| {
        let version = record.version;
        let nodes = record.nodes.into_iter();
        nodes.filter_map(move |node| member(&version, node, known))
    };
    records.into_iter().flat_map(of_record).collect()
}

fn member(version: &str, node: Node, known: &[Member]) -> Option<Member> {
    let is_it = |member: &&Member| {
        let before = member.target.node();
        before.id == node.id && before.address == node.address && member.target.version() == version
    };
    let known = known.iter().find(is_it);
    if let Some(member) = known
        && *member.target.node() == node
    {
        return Some(member.clone());
    }
    let target = match Target::new(node) {
        Ok(target) => target.with_version(version),
        Err(error) => {
            tracing::debug!(%error, "a node with an unusable address was passed over");
            return None;
        }
    };
    Some(match known {
        Some(member) => Member {
            target: Arc::new(target.in_place_of(&member.target)),
            ..member.clone()
        },
        None => Member::new(Arc::new(target)),
    })
}

#[cfg(test)]
mod tests;
