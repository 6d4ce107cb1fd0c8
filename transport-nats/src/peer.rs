//! What is known of the peer, and what it may therefore be told.

use micro_core::Metadata;

use crate::NAME;
use crate::config::Encoding;

/// The name under which a listener says in its metadata how our own peers may speak to it.
pub const SOCKET_KEY: &str = "micro-socket";

/// Our words in go-micro's envelopes: see [`control`](crate::control).
const IN_ENVELOPES: &str = "1";

/// The native encoding, as it is now.
const NATIVE: &str = "2";

/// What a peer understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Nothing is known of it, so nothing is sent to it but messages: a stray word of ours would become the answer
    /// to the next call of a go-micro client.
    Plain,
    /// It is one of ours, and told in go-micro's encoding how sockets end, and asked whether it still lives.
    Ours,
    /// It is one of ours, and spoken to in the native encoding.
    Native,
}

impl Peer {
    /// Reads a node's metadata. A version that is not known here is understood by nobody here: its node is spoken to as
    /// go-micro does.
    pub(crate) fn of(metadata: &Metadata, wanted: Encoding) -> Self {
        match (metadata.get(SOCKET_KEY).map(String::as_str), wanted) {
            (Some(NATIVE), Encoding::Native) => Peer::Native,
            (Some(NATIVE | IN_ENVELOPES), _) => Peer::Ours,
            _ => Peer::Plain,
        }
    }

    pub(crate) fn is_ours(self) -> bool {
        self != Peer::Plain
    }
}

/// What our listeners say of themselves.
pub(crate) fn metadata(wanted: Encoding) -> Metadata {
    let version = match wanted {
        Encoding::Native => NATIVE,
        Encoding::GoMicro => IN_ENVELOPES,
    };
    [("transport", NAME), (SOCKET_KEY, version)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_the_best_that_both_want() {
        use Encoding::{GoMicro, Native};
        for (listener, dialler, peer) in [
            (Native, Native, Peer::Native),
            (Native, GoMicro, Peer::Ours),
            (GoMicro, Native, Peer::Ours),
            (GoMicro, GoMicro, Peer::Ours),
        ] {
            assert_eq!(Peer::of(&metadata(listener), dialler), peer);
        }
    }

    #[test]
    fn a_peer_that_says_nothing_we_know_is_plain() {
        let later = Metadata::from([(SOCKET_KEY.to_owned(), "3".to_owned())]);
        for metadata in [Metadata::new(), later] {
            assert_eq!(Peer::of(&metadata, Encoding::Native), Peer::Plain);
        }
    }
}
