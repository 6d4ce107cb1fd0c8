//! What passes over the server, read by a third party.

use std::time::Duration;

use anyhow::{Context as _, Result};
use async_nats::{Client, Message, Subscriber};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::runner::Pair;

/// Hears everything that is published.
pub(super) struct Sniffer {
    nats: Client,
    all: Subscriber,
}

impl Sniffer {
    pub(super) async fn new(pair: &Pair) -> Result<Self> {
        let nats = async_nats::connect(pair.nats.url()).await?;
        let all = nats.subscribe(">").await?;
        let mut sniffer = Sniffer { nats, all };
        // What it publishes itself, it hears once the server knows of it.
        sniffer.heard().await?;
        Ok(sniffer)
    }

    /// What was published up to now, by others.
    pub(super) async fn heard(&mut self) -> Result<Vec<Message>> {
        let mark = self.nats.new_inbox();
        self.nats.publish(mark.clone(), Vec::new().into()).await?;
        self.nats.flush().await?;
        let mut heard = Vec::new();
        loop {
            let next = tokio::time::timeout(Duration::from_secs(5), self.all.next()).await;
            let message = next
                .context("the sniffer hears nothing")?
                .context("the sniffer was cut off")?;
            if *message.subject == *mark {
                return Ok(heard);
            }
            heard.push(message);
        }
    }
}

/// An envelope as go-micro makes it.
pub(super) fn envelope(header: Value, body: &[u8]) -> Vec<u8> {
    json!({ "Header": header, "Body": STANDARD.encode(body) })
        .to_string()
        .into_bytes()
}

/// A header of an envelope.
pub(super) fn header(payload: &[u8], name: &str) -> Option<String> {
    let envelope: Value = serde_json::from_slice(payload).ok()?;
    Some(envelope["Header"][name].as_str()?.to_owned())
}

/// The body of an envelope.
pub(super) fn body(payload: &[u8]) -> Result<Value> {
    let envelope: Value = serde_json::from_slice(payload)?;
    let body = STANDARD.decode(envelope["Body"].as_str().unwrap_or_default())?;
    Ok(serde_json::from_slice(&body)?)
}
