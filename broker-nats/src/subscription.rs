//! One subscription: messages of NATS, read as events.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::{Stream, StreamExt};
use micro_core::broker::{Event, Overflow, SubscribeOptions, Subscription};
use micro_core::{Error, Result, Text, queue};
use nats_common::{Connection, Pump};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::encoding;
use crate::inbound::{Inbound, Unread};
use crate::pausing::Member;

/// Subscribes. When this returns, the next event arrives.
///
/// # Errors
/// As [`Connection::pump`].
pub(crate) async fn open(
    connection: &Arc<Connection>,
    topic: &str,
    options: &SubscribeOptions,
) -> Result<Subscription> {
    if options.overflow == Overflow::Pause {
        return open_pausing(connection, topic, options).await;
    }
    let (sender, messages) = queue::bounded(options.capacity);
    let group = options.queue.as_deref();
    let inbound = Arc::new(Inbound::new(topic, group, sender));
    let pump = connection.pump(topic, group, inbound).await?;
    let place = Place(Arc::new(Mutex::new(Some(pump))));
    let leave = place.clone().leave();
    let events = Events {
        messages,
        _place: place,
        _connection: connection.clone(),
    };
    Ok(Subscription::new(topic, events, leave))
}

async fn open_pausing(
    connection: &Arc<Connection>,
    topic: &str,
    options: &SubscribeOptions,
) -> Result<Subscription> {
    let (member, messages) = Member::new(connection, topic, options);
    let pump = member.join().await?;
    let asked = CancellationToken::new();
    let (tell, told) = oneshot::channel();
    let run = member.run(pump, asked.clone());
    let task = AbortOnDropHandle::new(tokio::spawn(async move {
        // Who does not wait for it any more does not care.
        let _ = tell.send(run.await);
    }));
    let leave = async move {
        asked.cancel();
        // It is gone where its runtime is, and then nothing more comes.
        told.await.unwrap_or(Ok(()))
    };
    let level = messages.level();
    let events = Events {
        messages,
        _place: task,
        _connection: connection.clone(),
    };
    Ok(Subscription::new(topic, events, leave).with_level(level))
}

/// The subscription on the server. It is given up by leaving, or when the last handle is dropped.
#[derive(Clone, Debug)]
struct Place(Arc<Mutex<Option<Pump>>>);

impl Place {
    /// Resolves when everything that the server had sent waits in the queue of the events, which then ends.
    async fn leave(self) -> Result<()> {
        let pump = self.0.lock().take();
        match pump {
            Some(mut pump) => pump.leave(None).await,
            None => Ok(()),
        }
    }
}

/// The events of one subscription.
struct Events<P> {
    messages: queue::Receiver<Result<Unread>>,
    /// Whoever holds the subscription on the server.
    _place: P,
    /// It stays open as long as anybody uses it, also when the broker is gone.
    _connection: Arc<Connection>,
}

impl<P: Unpin> Stream for Events<P> {
    type Item = Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = self.messages.poll_next_unpin(context);
        item.map(|item| item.map(|message| message.flatten().and_then(read).map_err(in_recv)))
    }
}

fn read(event: Unread) -> Result<Event> {
    match encoding::decode(event.payload) {
        Ok(message) => Ok(Event::new(Text::new(&event.subject), message)),
        Err(error) => Err(error.with_context("topic", &event.subject)),
    }
}

fn in_recv(error: Error) -> Error {
    error.with_operation("recv")
}
