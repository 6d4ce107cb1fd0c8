//! A broker with the network's faults in front of it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use micro_core::broker::BrokerCapabilities;
use micro_core::{Broker, Error, ErrorKind, Event, Message, Result, SubscribeOptions, Subscription};
use tokio::sync::watch;

use super::faults::Dice;
use super::held::Held;
use super::life::Life;
use super::network::Traffic;
use super::release;

/// Says from which host an event comes, once there are partitions.
const FROM: &str = "Micro-Testing-From";

/// A [`Broker`] of one host.
#[derive(Debug)]
pub(super) struct TestBroker {
    life: Arc<Life>,
    below: Arc<dyn Broker>,
}

impl TestBroker {
    pub(super) fn new(life: Arc<Life>, below: Arc<dyn Broker>) -> Self {
        TestBroker { life, below }
    }
}

#[async_trait]
impl Broker for TestBroker {
    fn name(&self) -> &'static str {
        self.below.name()
    }

    fn capabilities(&self) -> BrokerCapabilities {
        self.below.capabilities()
    }

    async fn publish(&self, topic: &str, mut message: Message) -> Result<()> {
        self.life
            .check()
            .map_err(|error| error.with_operation("publish"))?;
        if self.life.network.was_ever_parted() {
            message.headers.insert(FROM, self.life.host.to_string());
        }
        self.below.publish(topic, message).await
    }

    async fn flush(&self) -> Result<()> {
        self.life.check().map_err(|error| error.with_operation("flush"))?;
        self.below.flush().await
    }

    async fn subscribe(&self, topic: &str, options: SubscribeOptions) -> Result<Subscription> {
        self.life
            .check()
            .map_err(|error| error.with_operation("subscribe"))?;
        let below = self.below.subscribe(topic, options).await?.uncounted();
        let level = below.level().cloned();
        let below = Arc::new(release::Held::new(Some(below)));
        let held: std::sync::Weak<release::Held<Subscription>> = Arc::downgrade(&below);
        self.life.hold(held);
        let leave = leave(below.clone());
        let incoming = Incoming {
            below,
            dice: self
                .life
                .network
                .dice(&format!("subscriber {} {topic}", self.life.host)),
            changes: self.life.network.changes(),
            life: self.life.clone(),
            held: Held::new(),
            ended: false,
            missed: None,
        };
        let events = stream::unfold(incoming, async |mut incoming| {
            let event = incoming.next().await?;
            Some((event, incoming))
        });
        // What has ended may be asked again.
        let events = events.fuse();
        Ok(Subscription::new(topic, events, leave).with_level(level))
    }
}

type Below = Arc<release::Held<Subscription>>;

/// The subscription is shared with whoever reads it, so it is looked at only while it is polled; a drain that was
/// begun goes on where it was.
async fn leave(below: Below) -> Result<()> {
    poll_fn(|cx| match &mut *below.lock() {
        Some(subscription) => pin!(subscription.drain()).poll(cx),
        None => Poll::Ready(Ok(())),
    })
    .await
}

async fn recv(below: &Below) -> Option<Result<Event>> {
    poll_fn(|cx| match &mut *below.lock() {
        Some(subscription) => subscription.poll_next_unpin(cx),
        None => Poll::Ready(None),
    })
    .await
}

struct Incoming {
    below: Below,
    life: Arc<Life>,
    dice: Dice,
    held: Held<Event>,
    changes: watch::Receiver<u64>,
    /// Nothing more comes from below.
    ended: bool,
    /// The host of which an event was missed, until it is in reach again.
    missed: Option<String>,
}

impl Incoming {
    async fn next(&mut self) -> Option<Result<Event>> {
        loop {
            if let Some(gap) = self.gap() {
                return Some(Err(gap));
            }
            match self.held.take() {
                Some(event) => return Some(Ok(event)),
                None if self.ended && self.held.is_empty() => return None,
                None => {}
            }
            if let Some(error) = self.wait().await {
                return Some(Err(error));
            }
        }
    }

    /// Waits for something to happen; an error from below is passed on at once.
    async fn wait(&mut self) -> Option<Error> {
        tokio::select! {
            biased;
            () = self.life.over() => self.ended = true,
            () = self.held.wait() => {}
            Ok(()) = self.changes.changed() => {}
            event = recv(&self.below), if !self.ended && self.held.has_room() => match event {
                Some(Ok(event)) => self.arrive(event),
                Some(Err(error)) => return Some(error),
                None => {
                    self.ended = true;
                    self.held.end();
                }
            },
        }
        None
    }

    fn arrive(&mut self, mut event: Event) {
        let from = event.message.headers.remove(FROM);
        let from = from.as_deref();
        if !self.life.network.reaches(Some(&self.life.host), from) {
            self.missed = from.map(str::to_owned).or(Some(String::new()));
            return;
        }
        let fate = self.dice.roll(&self.life.network.faults(Traffic::Events));
        if !fate.lost {
            self.held.hold_by(&fate, event);
        }
    }

    /// What a subscriber is told once whoever it missed events of is in reach again.
    fn gap(&mut self) -> Option<Error> {
        let network = &self.life.network;
        self.missed
            .take_if(|from| {
                network.reaches(
                    Some(&self.life.host),
                    Some(from).filter(|from| !from.is_empty()).map(|from| &**from),
                )
            })
            .map(|_| {
                Error::new(
                    ErrorKind::Unavailable,
                    "a partition is over: events may be missing",
                )
            })
    }
}
