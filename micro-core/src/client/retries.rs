//! Whether a call that may have run is made again, and when.

use std::time::Duration;

use tokio::time::Instant;

use crate::client::Shared;
use crate::client::plan::Plan;
use crate::rpc::{Request, Status};

/// The retries of one call.
#[derive(Debug)]
pub(crate) struct Retries {
    idempotent: bool,
    left: u32,
    made: u32,
    /// What has to pass before the next attempt.
    pause: Option<Duration>,
}

impl Retries {
    pub(crate) fn new(client: &Shared, request: &Request, plan: &Plan) -> Self {
        Retries {
            idempotent: request.idempotent,
            left: plan.retries.unwrap_or(client.options.retries),
            made: 0,
            pause: None,
        }
    }

    /// Whether there is one more, noting it: if the call says that it does no harm, there is time, and the budget has it.
    pub(crate) fn take(&mut self, client: &Shared, deadline: Option<Instant>) -> bool {
        if !self.idempotent || self.left == 0 {
            return false;
        }
        let wait = client.options.backoff.wait(self.made);
        let in_time = |deadline: Instant| deadline.saturating_duration_since(Instant::now()) > wait;
        let taken = deadline.is_none_or(in_time) && client.budget.withdraw();
        if taken {
            self.left -= 1;
            self.made += 1;
            self.pause = Some(wait);
        }
        taken
    }

    /// Whether the call may run twice.
    pub(crate) fn are_harmless(&self) -> bool {
        self.idempotent
    }

    /// Whether something has to pass before the next attempt.
    pub(crate) fn is_paused(&self) -> bool {
        self.pause.is_some()
    }

    /// Lets it pass.
    pub(crate) async fn pause(&mut self) -> Result<(), Status> {
        if let Some(pause) = self.pause.take() {
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }
}
