//! Asks everybody, and gathers what they answer.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use micro_core::registry::ServiceRecord;
use micro_core::{Error, ErrorKind, Result};
use nats_common::{Connection, Delivery, Mailbox, Outgoing};
use tokio::time::{Instant, sleep_until};

use crate::answers::Answers;
use crate::config::RegistryOptions;
use crate::hub::Hub;
use crate::ledger::Ledger;
use crate::patience::{End, Patience};
use crate::watch::Watch;
use crate::wire::{self, Query};

/// How many answers wait while others are read.
const WAITING_ANSWERS: usize = 16_384;

/// How many answers are read at most, whatever they say: whoever sends more does not answer.
const MOST_ANSWERS: usize = 100_000;

/// Whom to ask, and who knows what already.
#[derive(Debug)]
pub(crate) struct Asker<'a> {
    pub(crate) connection: &'a Arc<Connection>,
    pub(crate) options: &'a RegistryOptions,
    pub(crate) hub: &'a Hub,
    /// Present when announcements come in.
    pub(crate) watch: Option<&'a Watch>,
    pub(crate) ledger: &'a Ledger,
}

impl Asker<'_> {
    /// Asks, and returns what is found beside `own`, which this process holds, and why no more is waited for.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the connection is down or was lost meanwhile, or the server is silent.
    pub(crate) async fn ask(
        &self,
        query: &Query,
        own: &[ServiceRecord],
    ) -> Result<(Vec<ServiceRecord>, End)> {
        let epoch = self.watch.map(|_| self.hub.epoch());
        let mut answers = Answers::new(query.clone(), own);
        answers.expect(self.hub.known(query));
        let mut mailbox = self.connection.mailbox(WAITING_ANSWERS);
        let (mut patience, mut unread) = (Patience::new(self.options), MOST_ANSWERS);
        self.publish(query, &mailbox).await?;
        let mut gather = async |answers: &mut Answers, patience: &mut Patience| {
            self.gather(&mut mailbox, answers, patience, &mut unread).await
        };
        let mut end = gather(&mut answers, &mut patience).await?;
        if end == End::Limit && answers.count() == 0 {
            patience.allow_for(self.round_trip().await?);
            end = gather(&mut answers, &mut patience).await?;
        }
        let records = answers.into_records();
        if let Some(epoch) = epoch {
            let complete = matches!(end, End::Silent | End::Complete).then_some(epoch);
            self.hub.found(query, &records, complete);
        }
        Ok((records, end))
    }

    /// Asks on every subject.
    async fn publish(&self, query: &Query, mailbox: &Mailbox) -> Result<()> {
        let payload = query.write()?;
        for subjects in self.options.topics.subjects() {
            let outgoing = Outgoing::new(subjects.query, payload.clone());
            let outgoing = outgoing.with_reply(mailbox.subject().clone());
            self.connection.publish(outgoing).await?;
        }
        Ok(())
    }

    /// How long the server takes, or this process: an error when it does not answer.
    async fn round_trip(&self) -> Result<Duration> {
        let began = Instant::now();
        self.connection.fence().await?;
        Ok(began.elapsed())
    }

    async fn gather(
        &self,
        mailbox: &mut Mailbox,
        answers: &mut Answers,
        patience: &mut Patience,
        unread: &mut usize,
    ) -> Result<End> {
        let asked = self.options.topics.subjects().len();
        let mut unserved = 0;
        // Under a flood there is always a next one, so that the clock alone would not end it.
        while *unread > 0 {
            *unread -= 1;
            tokio::select! {
                // What has come counts, also when it is read late.
                biased;
                delivery = mailbox.next() => match delivery {
                    Some(Ok(Delivery::Message(message))) => self.take(&message.payload, answers),
                    Some(Ok(Delivery::NoResponders)) => unserved += 1,
                    Some(Err(error)) => pass_over_losses(error)?,
                    None => return Err(Error::closed("the NATS connection has ended")),
                },
                () = sleep_until(patience.ends()) => return Ok(patience.end()),
            }
            if unserved == asked {
                return Ok(End::Unserved);
            }
            patience.note(answers);
            if answers.are_complete() && self.are_still_complete(answers, patience).await {
                return Ok(End::Complete);
            }
        }
        Ok(End::Limit)
    }

    fn take(&self, payload: &[u8], answers: &mut Answers) {
        match wire::read_answer(payload) {
            Ok(record) => answers.take(&record),
            Err(error) => self.ledger.ignore("answer", &error),
        }
    }

    /// What was announced before the answers came in ahead of them, but on another way through this process: a
    /// node announced just now is known only when that way is clear.
    async fn are_still_complete(&self, answers: &mut Answers, patience: &Patience) -> bool {
        let Some(watch) = self.watch else { return false };
        if tokio::time::timeout_at(patience.limit(), watch.catch_up())
            .await
            .is_err()
        {
            return false;
        }
        answers.expect(self.hub.known(answers.query()));
        answers.are_complete()
    }
}

/// Answers that did not fit into the mailbox are missing, but those that did are worth having.
fn pass_over_losses(error: Error) -> Result<()> {
    match error.kind() {
        ErrorKind::Lagged(count) => {
            tracing::warn!(count, "answers to a query of the registry were lost");
            Ok(())
        }
        _ => Err(error),
    }
}
