//! What both ends of a stream may send, in calls whose caller counts on credit.

use std::convert::Infallible;
use std::sync::Arc;

use crate::rpc::credit::Credit;
use crate::rpc::lane::{LaneSender, Teller};
use crate::server::outbox::{Caller, Outbox};

/// Both directions of one stream.
pub(super) struct Flow {
    /// What the caller allows.
    pub(super) credit: Arc<Credit>,
    /// What the caller is allowed.
    teller: Teller,
}

impl Flow {
    /// For a caller whose items go there.
    pub(super) fn new(items: &LaneSender) -> Self {
        Flow {
            credit: Credit::new(),
            teller: items.teller(),
        }
    }

    /// Tells the caller what it may send, as long as the call lasts.
    pub(super) async fn tell(&self, caller: &Arc<Caller>, outbox: &Outbox) -> Infallible {
        loop {
            let amount = self.teller.due().await;
            let word = caller.clone().answer(caller.reply.credit(amount));
            if outbox.send(word).await.is_err() {
                // The socket is gone, and the call will learn it.
                return std::future::pending().await;
            }
        }
    }
}
