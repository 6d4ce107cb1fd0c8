//! Answers queries with what this process holds, and says when it holds something no more.

use std::sync::Arc;

use futures::stream::{SelectAll, StreamExt};
use micro_core::registry::{Action, Change, ServiceRecord};
use micro_core::{Error, ErrorKind, Result};
use nats_common::{Connection, Feed, Message, Outgoing};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::config::{Topics, is_registry_subject};
use crate::ledger::Ledger;
use crate::own::Own;
use crate::wire::{self, Query};

/// How many queries wait while one is answered. Those above go unanswered, as if they had been lost on the way.
const WAITING_QUERIES: usize = 4096;

/// The task that answers. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Responder {
    _task: AbortOnDropHandle<()>,
}

/// What the task works with.
#[derive(Clone, Debug)]
pub(crate) struct Announcer {
    pub(crate) connection: Arc<Connection>,
    pub(crate) topics: Topics,
    pub(crate) own: Arc<Own>,
    pub(crate) ledger: Arc<Ledger>,
}

impl Responder {
    /// Begins to answer. When this returns, the next query comes here.
    ///
    /// # Errors
    /// As [`Connection::subscribe`].
    pub(crate) async fn start(announcer: Announcer) -> Result<Self> {
        let mut queries = SelectAll::new();
        for subjects in announcer.topics.subjects() {
            let subscribing = announcer
                .connection
                .subscribe(subjects.query, None, WAITING_QUERIES);
            queries.push(subscribing.await?);
        }
        Ok(Responder {
            _task: AbortOnDropHandle::new(tokio::spawn(announcer.run(queries))),
        })
    }
}

impl Announcer {
    async fn run(self, mut queries: SelectAll<Feed>) {
        loop {
            tokio::select! {
                query = queries.next() => match query {
                    Some(Ok(message)) => self.take(&message).await,
                    Some(Err(error)) if error.kind() == ErrorKind::PermissionDenied => {
                        tracing::error!(%error, "queries are not answered: this process is not found");
                    }
                    // A query that was lost is asked again by whom it concerns.
                    Some(Err(error)) => tracing::debug!(%error, "queries may be missing"),
                    None => return,
                },
                () = self.own.until_due() => self.expire().await,
            }
        }
    }

    async fn take(&self, message: &Message) {
        if let Err(error) = self.answer(message).await {
            match error.kind() {
                ErrorKind::Malformed => self.ledger.ignore(&message.subject, &error),
                _ => tracing::debug!(%error, "a query was not answered"),
            }
        }
    }

    async fn answer(&self, message: &Message) -> Result<()> {
        let query = Query::read(&message.payload)?;
        let reply = message.reply.as_ref().ok_or_else(|| bad_reply("none"))?;
        if is_registry_subject(reply) {
            return Err(bad_reply(reply));
        }
        let limit = self.connection.max_payload();
        for record in self.own.records(&query) {
            for payload in wire::write_answer(&record, limit)? {
                let answer = Outgoing::new(reply.clone(), payload);
                self.connection.publish(answer).await?;
            }
        }
        Ok(())
    }

    async fn expire(&self) {
        for record in self.own.expire(Instant::now()) {
            tracing::warn!(
                service = record.name,
                "not refreshed in time: no longer announced"
            );
            if let Err(error) = self.announce(&obituary(record)).await {
                tracing::debug!(%error, "its end was not announced");
            }
        }
    }

    /// Publishes a change.
    ///
    /// # Errors
    /// As [`Connection::publish`]; [`ErrorKind::ResourceExhausted`] when the record is too large, and then nothing
    /// was published.
    pub(crate) async fn announce(&self, change: &Change) -> Result<()> {
        for outgoing in self.announcements(change)? {
            self.connection.publish(outgoing).await?;
        }
        Ok(())
    }

    /// The messages that announce a change.
    pub(crate) fn announcements(&self, change: &Change) -> Result<Vec<Outgoing>> {
        let payloads = wire::write_change(change, self.connection.max_payload())?;
        let subjects = self.topics.subjects().iter();
        let messages = subjects.flat_map(|subjects| {
            let to = |payload: &bytes::Bytes| Outgoing::new(subjects.watch, payload.clone());
            payloads.iter().map(to).collect::<Vec<_>>()
        });
        Ok(messages.collect())
    }
}

/// What a `delete` tells of a record: no more than go-micro does.
pub(crate) fn obituary(mut record: ServiceRecord) -> Change {
    record.metadata.clear();
    record.endpoints.clear();
    for node in &mut record.nodes {
        node.metadata.clear();
    }
    Change::new(Action::Delete, record)
}

/// An answer to where registries listen would be taken for something else, and could kill a go-micro process.
fn bad_reply(reply: &str) -> Error {
    Error::new(ErrorKind::Malformed, "a query without a subject to reply to").with_context("reply", reply)
}
