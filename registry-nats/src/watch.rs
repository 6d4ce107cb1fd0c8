//! Listens to what others announce.

use std::sync::Arc;

use micro_core::{Error, Result};
use nats_common::{Connection, Consumer, Incoming, Message, Pump};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::config::Topics;
use crate::hub::Hub;
use crate::ledger::Ledger;
use crate::wire;

/// The subscriptions that feed a hub, and the task that ages its nodes. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct Watch {
    pumps: Vec<Pump>,
    /// It stays open as long as anybody listens.
    _connection: Arc<Connection>,
    _aging: AbortOnDropHandle<()>,
}

impl Watch {
    /// Begins to listen. When this returns, the next announcement is heard.
    ///
    /// # Errors
    /// As [`Connection::pump`].
    pub(crate) async fn start(
        connection: &Arc<Connection>,
        topics: Topics,
        hub: &Arc<Hub>,
        ledger: &Arc<Ledger>,
    ) -> Result<Self> {
        let mut pumps = Vec::new();
        for subjects in topics.subjects() {
            let ear = Ear {
                subject: subjects.watch,
                hub: hub.clone(),
                ledger: ledger.clone(),
            };
            pumps.push(connection.pump(subjects.watch, None, Arc::new(ear)).await?);
        }
        Ok(Watch {
            pumps,
            _connection: connection.clone(),
            _aging: AbortOnDropHandle::new(tokio::spawn(age(hub.clone()))),
        })
    }

    /// Waits until everything that had come in when this was called has reached the hub.
    pub(crate) async fn catch_up(&self) {
        for pump in &self.pumps {
            pump.catch_up().await;
        }
    }
}

async fn age(hub: Arc<Hub>) {
    loop {
        hub.until_due().await;
        hub.expire(Instant::now());
    }
}

/// Takes what comes on one subject.
struct Ear {
    subject: &'static str,
    hub: Arc<Hub>,
    ledger: Arc<Ledger>,
}

impl Ear {
    fn hear(&self, message: &Message) {
        match wire::read_change(&message.payload) {
            Ok(change) => self.hub.take(change),
            Err(error) => self.ledger.ignore(&message.subject, &error),
        }
    }
}

impl Consumer for Ear {
    fn take(&self, incoming: Incoming) {
        match incoming {
            Incoming::Message(message) => self.hear(&message),
            Incoming::Lost(count) => self.hub.interrupt(|| Error::lagged(count)),
            Incoming::Disconnected => self.hub.interrupt(disconnected),
            Incoming::Denied(denial) if denial.ends(self.subject, None) => {
                self.hub.interrupt(|| denial.error());
            }
            Incoming::Ended => self.hub.end(),
            _ => {}
        }
    }
}

fn disconnected() -> Error {
    Error::new(
        micro_core::ErrorKind::Unavailable,
        "the NATS connection was lost; changes may be missing",
    )
}
