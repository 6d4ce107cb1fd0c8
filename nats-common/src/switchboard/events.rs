//! What happens to one connection, and who is told.

use async_nats::{ClientError, Event, ServerError};
use micro_core::Error;
use micro_core::observe::{self, Loss};

use super::{COMPONENT, Switchboard};
use crate::consumer::{Denial, DeniedAction, Incoming};
use crate::errors;

impl Switchboard {
    /// What the NATS client reports.
    pub(crate) fn on_event(&self, event: Event) {
        match event {
            Event::Connected => self.on_connect(),
            Event::Disconnected => self.on_disconnect(),
            Event::SlowConsumer(sid) => self.on_slow_consumer(sid),
            Event::ServerError(ServerError::Other(text)) => self.on_server_error(&text),
            Event::ClientError(ClientError::Other(text)) => self.on_failed_attempt(&text),
            Event::Closed => self.broadcast(&Incoming::Ended),
            other => tracing::debug!(event = %other, "NATS connection"),
        }
    }

    /// Catches up when events were dropped: `connects` counts how often the connection was made.
    pub(crate) fn reconcile(&self, connects: u64) {
        let noticed = *self.disconnects.borrow() + 1;
        if connects > noticed {
            self.on_disconnect();
            self.on_connect();
        }
    }

    fn on_connect(&self) {
        *self.trouble.lock() = None;
        *self.deaf.lock() = None;
        self.connected.send_replace(true);
    }

    /// An attempt to connect again has failed; the next follows. The client tells no more than the kind of failure.
    fn on_failed_attempt(&self, text: &str) {
        let reason = errors::failed_attempt(text);
        let before = self.trouble.lock().replace(reason.clone());
        if before.as_ref() != Some(&reason) {
            tracing::warn!(reason, "cannot connect to NATS again; going on trying");
        }
    }

    fn on_disconnect(&self) {
        tracing::warn!("the NATS connection was lost; connecting again");
        self.connected.send_replace(false);
        self.disconnects.send_modify(|count| *count += 1);
        observe::dropped(COMPONENT, Loss::Reconnect);
        self.abandon_fences(errors::disconnected);
        self.broadcast(&Incoming::Disconnected);
    }

    fn on_slow_consumer(&self, sid: u64) {
        let subscriptions = self.subscriptions.lock();
        let hit = subscriptions.values().find(|entry| entry.sid == Some(sid));
        let consumer = hit.map(|entry| entry.consumer.clone());
        drop(subscriptions);
        if let Some(consumer) = consumer {
            consumer.take(Incoming::Lost(1));
        }
    }

    fn on_server_error(&self, text: &str) {
        let Some((mut denial, sid)) = Denial::parse(text) else {
            tracing::warn!(error = text, "the NATS server reports an error");
            return;
        };
        if let Some(queue) = sid.and_then(|sid| self.group_of(sid)) {
            denial.queue = Some(queue);
        }
        tracing::warn!(subject = denial.subject, action = ?denial.action, "the NATS server refuses a subject");
        if denial.subject.starts_with(&self.prefix) {
            if denial.action == DeniedAction::Subscribe {
                *self.deaf.lock() = Some(denial.clone());
            }
            self.abandon_fences(|| denial.error());
        }
        match denial.action {
            DeniedAction::Publish => {
                observe::dropped(COMPONENT, Loss::Permission);
                self.denied.note(&denial);
            }
            DeniedAction::Subscribe => self.note_denial(&denial),
        }
        self.broadcast(&Incoming::Denied(denial));
    }

    /// The queue group of a subscription, by the NATS client's number.
    fn group_of(&self, sid: u64) -> Option<String> {
        let subscriptions = self.subscriptions.lock();
        let entry = subscriptions.values().find(|entry| entry.sid == Some(sid))?;
        entry.queue.clone()
    }

    fn note_denial(&self, denial: &Denial) {
        let mut subscriptions = self.subscriptions.lock();
        for entry in subscriptions.values_mut() {
            if denial.ends(&entry.subject, entry.queue.as_deref()) {
                entry.denied = Some(denial.clone());
            }
        }
    }

    fn abandon_fences(&self, error: impl Fn() -> Error) {
        let waiters = self.fences.lock().abandon();
        for waiter in waiters {
            let _ = waiter.send(Err(error()));
        }
    }
}
