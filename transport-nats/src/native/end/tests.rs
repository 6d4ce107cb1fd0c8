//! What happens when two threads meet at one end.

use std::thread;
use std::time::Duration;

use micro_conformance::nats_server::NatsServer;
use micro_core::{Message, PluginConfig};
use nats_common::Connection;

use super::*;
use crate::ignored::Counters;
use crate::keeper::Clock;
use crate::native::frame::{self, Hello, Sign};
use crate::native::groups::Groups;
use crate::native::incoming::Way;
use crate::native::{content, packet};

async fn dialled(server: &NatsServer) -> Arc<End> {
    let config = PluginConfig::default().with_addresses(&server.url());
    let connection = Connection::open(&config).await.unwrap();
    let groups = Arc::new(Groups::new(&connection, &Clock::new(Duration::from_secs(15))));
    let home = Subject::from("_INBOX.home");
    let link = Link::new(
        &connection,
        &Arc::new(Counters::default()),
        &groups,
        home,
        1 << 20,
    );
    Arc::new(End::dialled(&Arc::new(link), Subject::from("nobody")))
}

/// An answer, with the hello of an end that takes messages of up to so many bytes.
fn answer(max_message: u64) -> Vec<u8> {
    let hello = Hello {
        limit: 1 << 20,
        max_message,
        sign: Sign {
            epoch: 0,
            home: "_INBOX.other",
        },
    };
    let (mut bytes, message) = (Vec::new(), Message::new("answer"));
    packet::put_head(&mut bytes, 0);
    frame::put(&mut bytes, &Frame::Hello(hello));
    frame::put(&mut bytes, &Frame::Message(&content::of(&message)));
    bytes
}

#[tokio::test]
async fn nothing_is_read_before_the_hello_that_came_with_it_is_known() {
    let server = NatsServer::start().await;
    let end = dialled(&server).await;
    let outgoing = end.out.lock();
    let taking = thread::spawn({
        let end = end.clone();
        move || end.take(&answer(7).into(), Way::Socket)
    });
    let nothing_to_read = || match end.incoming.try_lock() {
        Some(incoming) => {
            assert!(!incoming.0.has_something());
            true
        }
        None => false,
    };
    // Now the other thread is there, and goes no further than to what goes out.
    while nothing_to_read() {
        thread::yield_now();
    }
    for _ in 0..1000 {
        nothing_to_read();
        thread::yield_now();
    }
    drop(outgoing);
    taking.join().unwrap();
    assert!(end.look(Incoming::has_something));
    assert_eq!(end.out.lock().max_message, 7);
}
