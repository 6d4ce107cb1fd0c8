//! Members of queue groups that are away while something happens to the server.

use futures::FutureExt;
use micro_conformance::nats_server::NatsServer;
use micro_core::observe::Loss;
use micro_core::{Broker, ErrorKind, Message, Overflow, SubscribeOptions, Subscription};
use tokio::time::timeout;

use crate::health::{denying, login};
use crate::{LIMIT, caller, elsewhere};

/// Reads until something that `is` so comes; the kinds of all errors up to there.
async fn until(
    member: &mut Subscription,
    is: impl Fn(&micro_core::Result<micro_core::Event>) -> bool,
) -> Vec<ErrorKind> {
    let mut errors = Vec::new();
    let came = async {
        loop {
            let item = member.recv().await.expect("a subscription that goes on");
            errors.extend(item.as_ref().err().map(micro_core::Error::kind));
            if is(&item) {
                return;
            }
        }
    };
    timeout(LIMIT, came).await.expect("what was waited for");
    errors
}

/// Publishes until so many events in a row have gone to the other member that the one that pauses must be away.
async fn until_away(broker: &dyn Broker, other: &mut Subscription) {
    let mut in_a_row = 0;
    while in_a_row < 100 {
        publish(broker, "before").await;
        // A flush comes back behind what was published, to the same connection.
        in_a_row = match other.recv().now_or_never() {
            Some(_) => in_a_row + 1,
            None => 0,
        };
    }
}

async fn publish(broker: &dyn Broker, text: &'static str) {
    // While the server restarts it may be refused, which is as good as an event that nobody hears.
    drop(broker.publish("numbers", Message::new(text)).await);
    drop(broker.flush().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_may_not_come_back_is_told_and_comes_back_when_it_may() {
    let mut server = NatsServer::builder().config(&denying("other")).start().await;
    let here = caller(&login(&server)).await;
    let there = caller(&format!("nats://ada:hush@{}", elsewhere(&server))).await;
    let group = SubscribeOptions::default().with_queue("group");
    let pausing = group.clone().with_capacity(10).with_overflow(Overflow::Pause);
    let mut member = here.broker().subscribe("numbers", pausing).await.unwrap();
    let mut other = there.broker().subscribe("numbers", group).await.unwrap();
    timeout(LIMIT, until_away(&**there.broker(), &mut other))
        .await
        .expect("a pause");
    assert_eq!(member.pauses(), 1);
    other.unsubscribe().await.unwrap();
    server.set_config(&denying("numbers"));
    server.restart().await;
    until(&mut member, |item| {
        item.as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
    })
    .await;
    server.set_config(&denying("other"));
    server.restart().await;
    let publishing = async {
        loop {
            publish(&**there.broker(), "after").await;
        }
    };
    // It says that it is back, and no other error comes.
    let hearing = async {
        let mut errors = until(&mut member, |item| item.is_err()).await;
        let after = |event: &micro_core::Event| event.body() == "after";
        errors.extend(until(&mut member, |item| item.as_ref().is_ok_and(after)).await);
        errors
    };
    let errors = tokio::select! {
        () = publishing => Vec::new(),
        errors = hearing => errors,
    };
    assert_eq!(errors, [ErrorKind::Unavailable]);
    assert_eq!(member.losses().get(Loss::Permission), 1);
    member.drain().await.unwrap();
}
