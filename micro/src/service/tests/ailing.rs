//! Brokers that deny, fail, and forget to say what became of an event.

use futures::stream::{self, StreamExt};
use micro_core::broker::BrokerCapabilities;
use micro_core::{Broker, SubscribeOptions, Subscription};
use parking_lot::Mutex;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;

use super::registration::health_that;
use super::*;
use crate::{EventCounts, Publisher};

/// A broker whose subscriptions are told by the test what they hear, and whose publishes leave and then fail or hang.
#[derive(Debug, Default)]
struct Ailing {
    inner: MemoryBroker,
    /// One for each subscription, in their order.
    told: Mutex<Vec<UnboundedSender<Result<Event>>>>,
    /// How a publish ends that has left; without, it does not end.
    publishes: Mutex<Option<ErrorKind>>,
    /// Flushes wait for this.
    answers: Notify,
    /// How many there were.
    flushes: AtomicUsize,
}

impl Ailing {
    fn tell(&self, subscription: usize, kind: ErrorKind) {
        let error = Error::new(kind, "as the test says");
        self.told.lock()[subscription].send(Err(error)).unwrap();
    }

    fn send(&self, subscription: usize) {
        let number = Message::new("1").with_header("Content-Type", "application/json");
        let event = Event::new("numbers", number);
        self.told.lock()[subscription].send(Ok(event)).unwrap();
    }
}

#[async_trait]
impl Broker for Ailing {
    fn name(&self) -> &'static str {
        "ailing"
    }

    fn capabilities(&self) -> BrokerCapabilities {
        BrokerCapabilities::default()
    }

    async fn publish(&self, topic: &str, message: Message) -> Result<()> {
        self.inner.publish(topic, message).await?;
        let kind = *self.publishes.lock();
        match kind {
            Some(kind) => Err(Error::new(kind, "as the test says")),
            None => std::future::pending().await,
        }
    }

    async fn flush(&self) -> Result<()> {
        self.flushes.fetch_add(1, Ordering::Relaxed);
        self.answers.notified().await;
        Ok(())
    }

    async fn subscribe(&self, topic: &str, _: SubscribeOptions) -> Result<Subscription> {
        let (told, mut events) = mpsc::unbounded_channel();
        self.told.lock().push(told);
        let events = stream::poll_fn(move |cx| events.poll_recv(cx));
        Ok(Subscription::new(topic, events, async { Ok(()) }))
    }
}

/// Bounds a failure: no test waits for it.
const LIMIT: Duration = Duration::from_secs(30);

async fn reasons(service: &Service, count: usize) -> Vec<String> {
    let is = |health: &Health| match health {
        Health::Degraded { reasons } => reasons.len() == count,
        health => count == 0 && health.is_ok(),
    };
    match timeout(LIMIT, health_that(service, is)).await.unwrap() {
        Health::Degraded { reasons } => reasons,
        _ => Vec::new(),
    }
}

async fn counted(service: &Service, is: impl Fn(&EventCounts) -> bool) {
    let counted = async {
        while !is(&service.events()) {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, counted).await.unwrap();
}

/// A service with two subscriptions that are denied.
async fn denied(broker: &Arc<Ailing>) -> Service {
    let service = World::default().service("greeter").broker(broker.clone());
    let service = service
        .subscribe("numbers", on_number)
        .subscribe_queue("numbers", "workers", on_number);
    let service = service.start().await.unwrap();
    broker.tell(0, ErrorKind::PermissionDenied);
    broker.tell(1, ErrorKind::PermissionDenied);
    assert!(reasons(&service, 2).await[0].contains("hears nothing"));
    service
}

async fn shut_down(broker: &Ailing, service: Service) {
    // The last thing that a service asks of its broker.
    broker.answers.notify_one();
    broker.told.lock().clear();
    service.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_denied_subscription_is_well_when_it_is_and_not_when_another_one_is() {
    let broker = Arc::new(Ailing::default());
    let service = denied(&broker).await;
    // They are subscribed anew, which may be denied anew.
    broker.tell(0, ErrorKind::Unavailable);
    broker.tell(1, ErrorKind::Unavailable);
    counted(&service, |counts| counts.gaps == 4).await;
    assert_eq!(reasons(&service, 2).await.len(), 2);
    broker.send(0);
    reasons(&service, 1).await;
    // The broker answers, and has denied nothing ahead of that.
    broker.answers.notify_one();
    reasons(&service, 0).await;
    shut_down(&broker, service).await;
}

#[tokio::test]
async fn a_denied_subscription_stays_so_whatever_befalls_single_events() {
    let broker = Arc::new(Ailing::default());
    let service = denied(&broker).await;
    // An event that was ahead of the denial, one that cannot be read, and some that were dropped.
    broker.send(0);
    broker.tell(1, ErrorKind::Malformed);
    broker.tell(1, ErrorKind::Lagged(3));
    let all = |counts: &EventCounts| counts.handled == 1 && counts.undecodable == 1 && counts.lost == 3;
    counted(&service, all).await;
    // A broker that is asked would answer that all is well.
    broker.answers.notify_one();
    assert_eq!(reasons(&service, 2).await.len(), 2);
    assert_eq!(broker.flushes.load(Ordering::Relaxed), 0);
    shut_down(&broker, service).await;
}

/// The ids under which events left, of which two were published.
async fn ids(broker: &Arc<Ailing>, publish: impl AsyncFn(&Publisher)) -> [String; 2] {
    let mut heard = broker
        .inner
        .subscribe("numbers", SubscribeOptions::default())
        .await
        .unwrap();
    let publisher = Publisher::new(broker.clone());
    publish(&publisher).await;
    publish(&publisher).await;
    let mut id = async || {
        let event = heard.next().await.unwrap().unwrap();
        event.headers().get("Micro-ID").unwrap().to_owned()
    };
    [id().await, id().await]
}

#[tokio::test]
async fn no_two_events_that_may_have_left_share_an_id() {
    let broker = Arc::new(Ailing::default());
    // A publish that is dropped when it has left.
    let [first, second] = ids(&broker, async |publisher| {
        let event = Json(1_u32);
        let publishing = publisher.publish_to("numbers", &event);
        tokio::pin!(publishing);
        assert!(futures::poll!(publishing).is_pending());
    })
    .await;
    assert_ne!(first, second);
    for kind in [ErrorKind::Unavailable, ErrorKind::Timeout, ErrorKind::Internal] {
        *broker.publishes.lock() = Some(kind);
        let [first, second] = ids(&broker, async |publisher| {
            publisher.publish_to("numbers", &Json(1_u32)).await.unwrap_err();
        })
        .await;
        assert_ne!(first, second, "{kind:?}");
    }
}
