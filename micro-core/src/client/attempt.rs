//! Which nodes a call has tried, and whether it may try more.

use std::sync::Arc;

use tokio::time::Instant;

use crate::client::Shared;
use crate::client::hedge::Hedge;
use crate::client::plan::Plan;
use crate::client::retries::Retries;
use crate::client::unreached::{unreached, unselectable};
use crate::error::{Error, ErrorKind};
use crate::message::Text;
use crate::observe::LastNode;
use crate::rpc::{Code, Request, Response, Status};
use crate::selector::{Choice, Pick, Tried, Verdict};

mod making;

pub(crate) use making::Outcome;

/// The attempts of one call.
pub(crate) struct Attempts {
    pub(super) client: Arc<Shared>,
    service: Text,
    choice: Choice,
    tried: Tried,
    pub(crate) retries: Retries,
    /// How the call says that it is hedged.
    hedge: Option<Box<Hedge>>,
    has_begun: bool,
    /// Whether somebody looks at how long answers take.
    pub(super) measures: bool,
    last: Option<Status>,
    node: LastNode,
    /// What time it is, until something is waited for.
    now: Option<Instant>,
    /// The socket of the last attempt was given up as idle at that very moment, which says nothing of the node.
    retired: bool,
}

impl Attempts {
    pub(crate) fn new(client: Arc<Shared>, request: &Request, plan: Plan, now: Instant) -> Self {
        let retries = Retries::new(&client, request, &plan);
        let mut choice = plan.choice;
        let strategy = client.selector.strategy(&choice);
        if choice.key.is_none()
            && let Some(header) = strategy.key_header()
        {
            let key = request.context.metadata().get(header).map(Text::new);
            if key.is_some() {
                choice.key = key;
            }
        }
        Attempts {
            measures: client.selector.strategy(&choice).measures(),
            service: request.service.clone(),
            tried: Tried::default(),
            retries,
            hedge: plan.hedge,
            has_begun: false,
            last: None,
            node: LastNode::default(),
            now: Some(now),
            retired: false,
            choice,
            client,
        }
    }

    /// How the next attempt is hedged: the first one alone is.
    pub(crate) fn hedge(&mut self) -> Option<Hedge> {
        if std::mem::replace(&mut self.has_begun, true) || !self.retries.are_harmless() {
            return None;
        }
        let hedge = self.hedge.as_deref().copied().or(self.client.options.hedge)?;
        // The second call is made later.
        self.now = None;
        Some(hedge)
    }

    /// The node to try next, if it is known without asking the registry.
    pub(crate) fn known(&mut self) -> Option<Pick> {
        let selector = &self.client.selector;
        let pick = selector.select_known(&self.service, &self.choice, &self.tried)?;
        self.node.set(pick.address(), self.last.as_ref());
        Some(pick)
    }

    /// The node to try next. When there is none, what the last one said is the better answer.
    pub(crate) async fn next(&mut self) -> Result<Pick, Status> {
        self.now = None;
        match self.select().await {
            Ok(pick) => {
                self.node.set(pick.address(), self.last.as_ref());
                Ok(pick)
            }
            Err(error) => Err(match self.last.take() {
                Some(last) => unreached(&last, &self.service),
                None => unselectable(error, &self.service),
            }),
        }
    }

    /// Where no node is left that was not tried, those will do that may take the call another time.
    async fn select(&mut self) -> Result<Pick, Error> {
        let selector = &self.client.selector;
        match selector.select(&self.service, &self.choice, &self.tried).await {
            Err(error) if error.kind() == ErrorKind::Unavailable && self.tried.forgive() => {
                selector.select(&self.service, &self.choice, &self.tried).await
            }
            picked => picked,
        }
    }

    /// Whether the call may be made again after this failure, noting it; before it is, the retries may have to pause.
    ///
    /// One that was never delivered may, on another node: at once where nobody took it, and within the budget where the
    /// node has too much to do. One that may have run may only if it says that this does no harm.
    pub(crate) fn may_try_again(&mut self, pick: &Pick, failed: &Status, deadline: Option<Instant>) -> bool {
        if std::mem::take(&mut self.retired) && failed.is_never_delivered() {
            return true;
        }
        let verdict = Verdict::of(failed);
        if let Some(verdict) = verdict {
            self.judge(pick, verdict);
        }
        self.last = Some(failed.clone());
        if failed.is_never_delivered() {
            self.tried.insert(pick);
            return match verdict {
                Some(Verdict::Gone) => true,
                Some(Verdict::Full) => self.client.budget.withdraw(),
                // What is too large for this side is too large for every node.
                _ => false,
            };
        }
        // A connection that was lost says nothing of the node at its end, which may be the only one.
        if failed.is_from_peer() {
            self.tried.insert_for_now(pick);
        }
        failed.code() == Code::Unavailable && self.retries.take(&self.client, deadline)
    }

    /// Notes that a node has answered.
    pub(crate) fn answered(&self, pick: &Pick) {
        self.client.budget.deposit();
        self.judge(pick, Verdict::Answered);
    }

    /// Another node that may be called beside this one.
    pub(crate) fn another(&self, pick: &Pick) -> Option<Pick> {
        let tried = self.tried.with(pick);
        let selector = &self.client.selector;
        selector.select_known(&self.service, &self.choice, &tried)
    }

    /// Takes in what the end of an attempt says of its node.
    pub(crate) fn judge(&self, pick: &Pick, verdict: Verdict) {
        self.client.selector.judge(&self.service, pick, verdict);
    }

    /// What the attempt that counts came to.
    pub(crate) fn end(&mut self, outcome: Outcome) -> Result<Response, Status> {
        self.now = None;
        self.retired = outcome.retired;
        outcome.answer
    }
}
