//! Addresses: opening them, reaching them, giving them up.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use micro_core::{Address, DialOptions, ErrorKind, ListenOptions, Message};

use tokio::time::timeout;

use super::TransportWorld;
use super::pair::{Sides, last_error, listen, peer, receive, refusal, refused, sides, vacant};
use crate::clause::skip;
use crate::value::{attempt, number, numbered};

/// How long "at once" may take on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(5);

/// No two listeners that leave the choice to the backend get the same address.
pub async fn every_listener_has_an_address_of_its_own(world: &TransportWorld) {
    let transports = [world.open().await, world.open().await];
    let mut listeners = Vec::new();
    for index in 0..100 {
        listeners.push(listen(&transports[index % 2]).await);
    }
    let addresses = listeners.iter().map(|listener| listener.address().as_str());
    assert_eq!(addresses.collect::<BTreeSet<_>>().len(), 100);
}

/// A listener is reached at the address that it asked for.
pub async fn a_given_address_is_listened_on(world: &TransportWorld) {
    let (address, _) = vacant(world).await;
    let mut sides = sides(world).await;
    let options = ListenOptions::default().with_address(address.clone());
    sides.listener = sides.there.listen(options).await.unwrap();
    assert_eq!(sides.listener.address(), &address);
    sides.connect().await;
}

/// A second listener on an address is refused, and the first is not disturbed.
pub async fn a_taken_address_is_refused(world: &TransportWorld) {
    let mut sides = sides(world).await;
    if !sides.here.capabilities().exclusive_addresses {
        return skip("addresses are not exclusive");
    }
    for transport in [&sides.here, &sides.there] {
        let options = ListenOptions::default().with_address(sides.listener.address().clone());
        let error = transport.listen(options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    }
    sides.connect().await;
}

/// An address that could stand for many is not listened on.
pub async fn an_address_with_a_wildcard_is_invalid_argument(world: &TransportWorld) {
    let transport = world.open().await;
    for address in ["a.*", ">", "a.>", ".a", "a..b"] {
        let options = ListenOptions::default().with_address(Address::new(address).unwrap());
        let error = transport.listen(options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{address}");
    }
}

/// Whoever dials at the instant when `listen` returned reaches the listener: a thousand times, without a miss.
pub async fn a_ready_listener_is_reached_at_once(world: &TransportWorld) {
    let mut sides = sides(world).await;
    for _ in 0..1000 {
        sides.listener = listen(&sides.there).await;
        let mut near = sides.dial().await;
        tokio::select! {
            far = sides.listener.accept() => drop(far.unwrap()),
            ended = near.recv() => panic!("missed: {ended:?}"),
        }
    }
}

/// Each end knows where it is and where the other is.
pub async fn each_end_names_the_other(world: &TransportWorld) {
    let mut sides = sides(world).await;
    let (near, far) = sides.connect().await;
    assert_eq!(near.remote(), sides.listener.address());
    assert_eq!(far.local(), sides.listener.address());
    assert_eq!(near.local(), far.remote());
}

/// A dial to an address that nobody listens on fails at once, or else the first receive does.
pub async fn dial_to_nobody_is_unavailable(world: &TransportWorld) {
    let (address, options) = vacant(world).await;
    let start = Instant::now();
    let (error, _) = refusal(&world.open().await, &address, options).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(start.elapsed() < AT_ONCE, "after {:?}", start.elapsed());
}

/// Whoever sent to nobody is told that the message certainly reached nobody, and may be sent elsewhere.
pub async fn a_message_to_nobody_is_undelivered(world: &TransportWorld) {
    let (address, options) = vacant(world).await;
    let (error, sent) = refusal(&world.open().await, &address, options).await;
    assert_eq!(error.undelivered(), usize::from(sent));
}

/// A dropped `accept` future takes no socket with it.
pub async fn a_cancelled_accept_loses_no_socket(world: &TransportWorld) {
    let mut sides = sides(world).await;
    let (here, address, options) = (
        sides.here.clone(),
        sides.listener.address().clone(),
        peer(&sides.listener),
    );
    let dialling = tokio::spawn(async move {
        let mut sockets = Vec::new();
        for index in 0..100 {
            let mut socket = here.dial(&address, options.clone()).await.unwrap();
            socket.send(numbered(index)).await.unwrap();
            sockets.push(socket);
        }
        sockets
    });
    let mut seen = BTreeSet::new();
    while seen.len() < 100 {
        if let Some(socket) = attempt(sides.listener.accept()).await {
            seen.insert(number(&receive(&mut socket.unwrap()).await));
        }
    }
    dialling.await.unwrap();
}

/// A dropped listener frees its address: nobody is there, and it can be listened on again.
pub async fn a_dropped_listener_frees_its_address(world: &TransportWorld) {
    let mut sides = sides(world).await;
    let address = sides.listener.address().clone();
    let options = peer(&sides.listener);
    sides.listener = listen(&sides.there).await;
    // A drop cannot wait, so a dial just after it may still get a socket, and that one no answer.
    let error = loop {
        let attempt = refused(&sides.here, &address, options.clone());
        if let Ok(Some(error)) = timeout(Duration::from_millis(200), attempt).await {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let options = ListenOptions::default().with_address(address);
    sides.listener = sides.there.listen(options).await.unwrap();
    sides.connect().await;
}

/// After `close` returned, nobody reaches the address.
pub async fn a_closed_listener_is_unavailable(world: &TransportWorld) {
    let mut sides = sides(world).await;
    sides.connect().await;
    let (address, options) = (sides.listener.address().clone(), peer(&sides.listener));
    sides.listener.close().await.unwrap();
    for _ in 0..10 {
        let (error, sent) = refusal(&sides.here, &address, options.clone()).await;
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.undelivered(), usize::from(sent));
    }
}

/// Whoever waits on a socket that was never accepted learns that its listener is closed.
pub async fn sockets_that_nobody_accepted_are_closed(world: &TransportWorld) {
    let sides = sides(world).await;
    let mut near = sides.dial().await;
    sides.listener.close().await.unwrap();
    if let Some(error) = last_error(&mut near).await {
        let kinds = [ErrorKind::Unavailable, ErrorKind::Closed];
        assert!(kinds.contains(&error.kind()), "{error:?}");
        assert!(error.undelivered() <= 1, "{error:?}");
    }
}

/// A socket that would wait behind too many others is refused; whoever is accepted makes room.
pub async fn a_socket_beyond_the_backlog_is_refused(world: &TransportWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let options = ListenOptions::default().with_backlog(2);
    let listener = there.listen(options).await.unwrap();
    let mut sides = Sides {
        here,
        there,
        listener,
    };
    let _waiting = [sides.dial().await, sides.dial().await];
    for _ in 0..3 {
        let (address, options) = (sides.listener.address(), peer(&sides.listener));
        let (error, sent) = refusal(&sides.here, address, options).await;
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.undelivered() <= usize::from(sent), "{error:?}");
    }
    let _first = sides.accept().await;
    let _third = sides.dial().await;
    let _accepted = [sides.accept().await, sides.accept().await];
}

/// Diallers that know the peer from a registry, and others that know its address and nothing else, are served side by
/// side: on some backends they speak different encodings.
pub async fn peers_of_which_something_and_nothing_is_known_share_a_listener(world: &TransportWorld) {
    let mut sides = sides(world).await;
    let mut pairs = Vec::new();
    for known in (0..20).map(|index| index % 2 == 0) {
        let options = match known {
            true => peer(&sides.listener),
            false => DialOptions::default(),
        };
        let dialled = sides.here.dial(sides.listener.address(), options).await;
        let mut near = dialled.unwrap();
        near.send(Message::new("hello")).await.unwrap();
        pairs.push((near, sides.accept().await));
    }
    for round in 0..10 {
        for (index, (near, far)) in pairs.iter_mut().enumerate() {
            near.send(numbered(round * 100 + index)).await.unwrap();
            far.send(numbered(index * 100 + round)).await.unwrap();
        }
        for (index, (near, far)) in pairs.iter_mut().enumerate() {
            assert_eq!(number(&receive(far).await), round * 100 + index);
            assert_eq!(number(&receive(near).await), index * 100 + round);
        }
    }
}

/// An accepted socket still hands out what had arrived, and still answers.
pub async fn an_accepted_socket_outlives_its_listener(world: &TransportWorld) {
    let mut sides = sides(world).await;
    let (mut near, mut far) = sides.connect().await;
    for index in 0..10 {
        near.send(numbered(index)).await.unwrap();
    }
    // Sent after the ten, and received: so the ten have arrived.
    assert_eq!(number(&receive(&mut far).await), 0);
    near.send(numbered(10)).await.unwrap();
    sides.connect().await;
    sides.listener.close().await.unwrap();
    for index in 1..=10 {
        assert_eq!(number(&receive(&mut far).await), index);
        far.send(numbered(index)).await.unwrap();
        assert_eq!(number(&receive(&mut near).await), index);
    }
}
