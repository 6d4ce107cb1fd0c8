//! Where a process is asked whether it is there, and where words go when a listener has left its address.

use std::sync::{Arc, OnceLock, Weak};

use nats_common::{Connection, Consumer, Incoming, Message, Outgoing, Slot, Subject};

use super::frame::{self, Frame};
use super::link::Link;
use super::packet::{self, Packet};

/// What comes to a home.
pub(crate) struct Home {
    link: OnceLock<Weak<Link>>,
    /// Takes what is for one of the sockets here; whether it was.
    sockets: Box<dyn Fn(&Message) -> bool + Send + Sync>,
}

impl Home {
    /// Opens a home, and makes the link that has it.
    pub(crate) fn open(
        connection: &Arc<Connection>,
        sockets: impl Fn(&Message) -> bool + Send + Sync + 'static,
        link: impl FnOnce(Subject) -> Link,
    ) -> (Slot, Arc<Link>) {
        let home = Arc::new(Home {
            link: OnceLock::new(),
            sockets: Box::new(sockets),
        });
        let slot = connection.slot(home.clone());
        let link = Arc::new(link(slot.subject().clone()));
        home.link.get_or_init(|| Arc::downgrade(&link));
        (slot, link)
    }

    /// Says that this process is there.
    fn answer(&self, message: &Message) {
        let link = self.link.get().and_then(Weak::upgrade);
        let (Some(link), Some(reply)) = (link, &message.reply) else {
            return;
        };
        let Ok(packet) = Packet::open(&message.payload) else {
            return;
        };
        if frame::take(&mut &packet.frames[..]) == Some(Frame::Ping) {
            let mut pong = Vec::new();
            packet::put_head(&mut pong, 0);
            link.put_pong(&mut pong);
            link.connection.publish_now(Outgoing::new(reply.clone(), pong));
        }
    }
}

impl Consumer for Home {
    fn take(&self, incoming: Incoming) {
        if let Incoming::Message(message) = incoming
            && !(self.sockets)(&message)
        {
            self.answer(&message);
        }
    }
}
