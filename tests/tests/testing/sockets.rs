//! Sockets, while things go wrong.

use std::sync::Arc;

use micro::prelude::*;
use micro::testing::{Faults, Testbed};
use micro::{DialOptions, ErrorKind, ListenOptions, Listener, Message, Socket, Transport};

use super::{ask, instance, on_both};

async fn transport(bed: &Testbed, host: &str) -> Arc<dyn Transport> {
    bed.host(host).backends().await.unwrap().transport().clone()
}

/// A listener, and both ends of a socket over which a message went.
async fn pair(bed: &Testbed) -> (Listener, Socket, Socket) {
    let (here, there) = (transport(bed, "here").await, transport(bed, "there").await);
    let mut listener = there.listen(ListenOptions::default()).await.unwrap();
    let dial = DialOptions::default().with_peer(listener.metadata().clone());
    let mut near = here.dial(listener.address(), dial).await.unwrap();
    near.send(Message::new("first")).await.unwrap();
    let mut far = listener.accept().await.unwrap();
    assert_eq!(far.recv().await.unwrap().unwrap().body, "first");
    (listener, near, far)
}

async fn a_lost_message_ends_its_socket_at_both_ends(bed: Testbed) {
    let (_listener, mut near, mut far) = pair(&bed).await;
    bed.socket_faults(&Faults::default().with_loss(1.0));
    near.send(Message::new("lost")).await.unwrap();
    for end in [&mut far, &mut near] {
        let error = end.recv().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("lost"), "{error}");
        assert_eq!(error.undelivered(), 0, "nobody knows");
        assert!(end.recv().await.is_none());
        assert_eq!(
            end.send(Message::new("late")).await.unwrap_err().kind(),
            ErrorKind::Unavailable
        );
    }
}

async fn what_a_socket_carries_keeps_its_order(bed: Testbed) {
    let (_listener, mut near, mut far) = pair(&bed).await;
    let delay = std::time::Duration::ZERO..=std::time::Duration::from_millis(2);
    let faults = Faults::default().with_duplicates(1.0).with_reordering(1.0);
    bed.socket_faults(&faults.with_delay(delay));
    for number in 0..100_u8 {
        near.send(Message::new(vec![number])).await.unwrap();
    }
    for number in 0..100_u8 {
        assert_eq!(far.recv().await.unwrap().unwrap().body[..], [number]);
    }
    near.close().await.unwrap();
    assert!(far.recv().await.is_none());
}

/// How calls end, one after the other, while sockets lose messages.
async fn calls(bed: &Testbed, idempotent: bool) -> Vec<bool> {
    let _service = instance(&bed.host("test"), "a").await;
    let client = bed.host("caller").client().await.unwrap();
    bed.socket_faults(&Faults::default().with_loss(0.2));
    let mut ended = Vec::new();
    for _ in 0..40 {
        let call = client.unary::<_, Json<String>>("test", "Test.Name", Json(()));
        let call = if idempotent { call.idempotent() } else { call };
        let result = call.await;
        if let Err(status) = &result {
            assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        }
        ended.push(result.is_ok());
    }
    bed.socket_faults(&Faults::default());
    assert_eq!(ask(&client).await.as_deref(), Ok("a"));
    ended
}

async fn the_same_seed_fails_the_same_calls(bed: Testbed) {
    let bed = bed.with_seed(7);
    let first = calls(&bed, false).await;
    assert!(first.contains(&true) && first.contains(&false), "{first:?}");
    let bed = bed.with_seed(7);
    assert_eq!(calls(&bed, false).await, first);
}

async fn a_call_that_may_run_twice_survives_a_loss(bed: Testbed) {
    let bed = bed.with_seed(7);
    let failed = |ended: Vec<bool>| ended.iter().filter(|ok| !**ok).count();
    let once = failed(calls(&bed, false).await);
    let bed = bed.with_seed(7);
    let again = failed(calls(&bed, true).await);
    assert!(
        again < once,
        "{again} of 40 failed, and {once} where none was made again"
    );
}

on_both!(
    a_lost_message_ends_its_socket_at_both_ends,
    what_a_socket_carries_keeps_its_order,
    the_same_seed_fails_the_same_calls,
    a_call_that_may_run_twice_survives_a_loss,
);
