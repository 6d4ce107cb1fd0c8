//! What is known of the peer, and what it may therefore be told.

use micro_core::Metadata;

use crate::NAME;

/// The name under which a listener says in its metadata which of our words it understands.
pub const SOCKET_KEY: &str = "micro-socket";

/// The words of [`control`](crate::control), in their first version.
const VERSION: &str = "1";

/// Whether a peer understands more than go-micro does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Nothing is known of it, so nothing is sent to it but messages: a stray word of ours would become the answer
    /// to the next call of a go-micro client.
    Plain,
    /// It is one of ours: it is told how sockets end, and asked whether it still lives.
    Ours,
}

impl Peer {
    /// Reads a node's metadata.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        match metadata.get(SOCKET_KEY).map(String::as_str) {
            Some(VERSION) => Peer::Ours,
            _ => Peer::Plain,
        }
    }

    pub(crate) fn is_ours(self) -> bool {
        self == Peer::Ours
    }
}

/// What our listeners say of themselves.
pub(crate) fn metadata() -> Metadata {
    [("transport", NAME), (SOCKET_KEY, VERSION)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_metadata_makes_a_peer_ours() {
        assert_eq!(Peer::of(&metadata()), Peer::Ours);
    }

    #[test]
    fn a_peer_that_says_nothing_we_know_is_plain() {
        let later = Metadata::from([(SOCKET_KEY.to_owned(), "2".to_owned())]);
        for metadata in [Metadata::new(), later] {
            assert_eq!(Peer::of(&metadata), Peer::Plain);
        }
    }
}
