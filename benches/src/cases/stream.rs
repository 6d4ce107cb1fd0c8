//! A long stream of small messages from the server, beside tonic.

use super::{Case, peers};
use crate::calls::Way;
use crate::forms::{AsJson, AsProto};
use crate::rounds::Contest;
use crate::stack::Backends;

pub(crate) fn cases() -> Vec<Case> {
    let title = "server stream of 1,000,000 small messages, on NATS";
    let peer = "tonic server stream, generated, protobuf over loopback TCP";
    let open = async |url: String, _| {
        let mut ours = Vec::new();
        for way in Way::nats(&url, Backends::nats).await? {
            ours.push(way.items::<AsJson>().await?);
            ours.push(way.items::<AsProto>().await?);
        }
        let peer = peers::tonic_items().await?;
        Ok(Contest { ours, peer })
    };
    let case = Case::new("stream_vs_tonic", title, peer, open);
    vec![case.unit("messages/s").reaching(3.0)]
}
