//! Who listens to what on one connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use micro_core::by_id::ById;
use micro_core::observe::{self, Loss};
use micro_core::{Error, Result};
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use crate::consumer::{Consumer, Denial, Incoming};
use crate::denied::Denied;
use crate::fence::Fences;

mod events;

/// What counts as dropping here, in metrics.
pub(crate) const COMPONENT: &str = "nats-common";

/// Knows every mailbox and every subscription of one connection, and passes on what concerns them.
///
/// No lock is held while a consumer is called.
pub(crate) struct Switchboard {
    /// What stands before the number in the subject of each mailbox.
    pub(crate) prefix: String,
    mailboxes: Mutex<HashMap<u64, Arc<dyn Consumer>, ById>>,
    subscriptions: Mutex<HashMap<u64, Subscribed>>,
    numbers: AtomicU64,
    fences: Mutex<Fences>,
    disconnects: watch::Sender<u64>,
    connected: watch::Sender<bool>,
    strays: AtomicU64,
    /// What the server has refused to let us publish.
    pub(crate) denied: Denied,
    /// The server lets nothing come back to us, on this connection.
    deaf: Mutex<Option<Denial>>,
    /// Why the last attempt to connect again failed, while there is no connection.
    trouble: Mutex<Option<String>>,
}

struct Subscribed {
    subject: String,
    queue: Option<String>,
    /// The NATS client's number of it, once it has one.
    sid: Option<u64>,
    denied: Option<Denial>,
    consumer: Arc<dyn Consumer>,
}

impl Switchboard {
    pub(crate) fn new(prefix: String) -> Self {
        Switchboard {
            prefix,
            mailboxes: Mutex::default(),
            subscriptions: Mutex::default(),
            numbers: AtomicU64::new(1),
            fences: Mutex::default(),
            disconnects: watch::Sender::new(0),
            connected: watch::Sender::new(true),
            strays: AtomicU64::new(0),
            denied: Denied::default(),
            deaf: Mutex::default(),
            trouble: Mutex::default(),
        }
    }

    /// Moves at every loss of the connection.
    pub(crate) fn disconnects(&self) -> watch::Receiver<u64> {
        self.disconnects.subscribe()
    }

    /// Whether the connection stands, as far as events have told.
    pub(crate) fn connected(&self) -> watch::Receiver<bool> {
        self.connected.subscribe()
    }

    /// How many messages came for mailboxes that are no more.
    pub(crate) fn strays(&self) -> u64 {
        self.strays.load(Ordering::Relaxed)
    }

    /// Adds a mailbox; its number is never given again.
    pub(crate) fn add_mailbox(&self, consumer: Arc<dyn Consumer>) -> u64 {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        self.mailboxes.lock().insert(number, consumer);
        number
    }

    pub(crate) fn remove_mailbox(&self, number: u64) {
        // Dropped after the lock: what a consumer holds may have a mailbox of its own.
        let consumer = self.mailboxes.lock().remove(&number);
        drop(consumer);
    }

    /// Hands an item to a mailbox, or counts it as stray.
    pub(crate) fn deliver(&self, number: u64, incoming: Incoming) {
        let consumer = self.mailboxes.lock().get(&number).cloned();
        match consumer {
            Some(consumer) => consumer.take(incoming),
            None => self.count_stray(),
        }
    }

    pub(crate) fn count_stray(&self) {
        self.strays.fetch_add(1, Ordering::Relaxed);
        observe::ignored(COMPONENT, "stray", Loss::Late);
    }

    /// Adds a subscription before it is made, so that no event about it comes too early.
    pub(crate) fn add_subscription(
        &self,
        subject: &str,
        queue: Option<&str>,
        consumer: Arc<dyn Consumer>,
    ) -> u64 {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let entry = Subscribed {
            subject: subject.to_owned(),
            queue: queue.map(str::to_owned),
            sid: None,
            denied: None,
            consumer,
        };
        self.subscriptions.lock().insert(number, entry);
        number
    }

    pub(crate) fn set_sid(&self, number: u64, sid: u64) {
        if let Some(entry) = self.subscriptions.lock().get_mut(&number) {
            entry.sid = Some(sid);
        }
    }

    pub(crate) fn remove_subscription(&self, number: u64) {
        let entry = self.subscriptions.lock().remove(&number);
        drop(entry);
    }

    /// Whether the server has refused a subscription.
    pub(crate) fn denial(&self, number: u64) -> Option<Error> {
        let subscriptions = self.subscriptions.lock();
        let denied = subscriptions.get(&number)?.denied.as_ref();
        denied.map(Denial::error)
    }

    /// Why no fence can come back, if so.
    pub(crate) fn deafness(&self) -> Option<Error> {
        self.deaf.lock().as_ref().map(Denial::error)
    }

    /// Joins a fence; the number of one to be sent now, if any.
    pub(crate) fn join_fence(&self, waiter: oneshot::Sender<Result<()>>) -> Option<u64> {
        self.fences.lock().join(waiter)
    }

    /// A fence is back; the number of the next one to be sent, if any.
    pub(crate) fn fence_answered(&self, number: u64) -> Option<u64> {
        let (waiters, next) = self.fences.lock().answered(number);
        for waiter in waiters {
            // Who stopped waiting does not care.
            let _ = waiter.send(Ok(()));
        }
        next
    }

    /// Why there is no connection, if anything is known of that.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.lock().clone()
    }

    /// Tells every subscription, and every mailbox.
    fn broadcast(&self, incoming: &Incoming) {
        let mut consumers: Vec<_> = self.mailboxes.lock().values().cloned().collect();
        consumers.extend(
            self.subscriptions
                .lock()
                .values()
                .map(|entry| entry.consumer.clone()),
        );
        for consumer in consumers {
            consumer.take(incoming.clone());
        }
    }

    /// Tells every mailbox.
    pub(crate) fn broadcast_to_mailboxes(&self, incoming: &Incoming) {
        let consumers: Vec<_> = self.mailboxes.lock().values().cloned().collect();
        for consumer in consumers {
            consumer.take(incoming.clone());
        }
    }
}
