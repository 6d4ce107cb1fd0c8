//! What the two ends of one socket share: who they are, and whether the socket was cut.

use std::sync::OnceLock;

use micro_core::{Error, ErrorKind};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::name::Name;
use super::release::Release;

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Side {
    Dialler,
    Listener,
}

/// One socket, seen from above.
#[derive(Debug, Default)]
pub(super) struct Link {
    hosts: [OnceLock<Name>; 2],
    cut: CancellationToken,
    reason: OnceLock<&'static str>,
}

impl Link {
    /// Says who is at that end, as far as it is known.
    pub(super) fn name(&self, side: Side, host: Option<Name>) {
        if let Some(host) = host {
            // Whoever says so says the same.
            let _ = self.hosts[side as usize].set(host);
        }
    }

    /// The hosts of the dialler and of the listener, as far as they are known.
    pub(super) fn hosts(&self) -> [Option<Name>; 2] {
        [0, 1].map(|side| self.hosts[side].get().cloned())
    }

    /// Ends the socket at both ends, with an error that says why.
    pub(super) fn cut(&self, reason: &'static str) {
        // The first reason stays.
        let _ = self.reason.set(reason);
        self.cut.cancel();
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.is_cancelled()
    }

    /// Resolves when it is cut.
    pub(super) fn until_cut(&self) -> WaitForCancellationFutureOwned {
        self.cut.clone().cancelled_owned()
    }

    /// Why it was cut. What was on the way may have arrived, as far as anybody can know.
    pub(super) fn error(&self) -> Error {
        let reason = self.reason.get().copied().unwrap_or("the socket was cut");
        Error::new(ErrorKind::Unavailable, reason)
    }
}

/// The host at one of its ends was killed.
impl Release for Link {
    fn release(&self) {
        self.cut("the host at one end was killed");
    }
}
