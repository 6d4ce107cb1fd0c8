//! Captured traffic: `tests/vectors`, one NATS message a line, in order within a capture.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use async_nats::{Client, Subscriber};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};

/// How long an answer may take, or must not come.
pub(crate) const LIMIT: std::time::Duration = std::time::Duration::from_secs(5);

/// One message.
#[derive(Clone, Deserialize)]
pub(crate) struct Captured {
    pub(crate) capture: String,
    pub(crate) step: String,
    pub(crate) subject: String,
    pub(crate) reply: Option<String>,
    pub(crate) payload: String,
}

/// All messages of a generation: `v6` or `v2`.
pub(crate) fn captured(generation: &str) -> Vec<Captured> {
    let file = format!("vectors/go-micro-{generation}.jsonl");
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

impl Captured {
    /// The envelope, when it is one.
    pub(crate) fn envelope(&self) -> Option<Envelope> {
        Envelope::read(self.payload.as_bytes())
    }

    /// The subject on which the answer is expected.
    pub(crate) fn inbox(&self) -> Option<&str> {
        self.reply.as_deref().filter(|reply| !reply.is_empty())
    }
}

/// An envelope, read without any code of ours.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub(crate) header: Value,
    pub(crate) body: Vec<u8>,
}

impl Envelope {
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(payload).ok()?;
        let header = value.get("Header")?.clone();
        let body = STANDARD.decode(value["Body"].as_str().unwrap_or_default()).ok()?;
        Some(Envelope { header, body })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        json!({ "Header": self.header, "Body": STANDARD.encode(&self.body) })
            .to_string()
            .into_bytes()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.header[name].as_str()
    }

    /// The names of the headers of this kind.
    pub(crate) fn names(&self, wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
        let header = self.header.as_object().into_iter().flatten();
        header
            .map(|(name, _)| name.clone())
            .filter(|name| wanted(name))
            .collect()
    }

    /// The body as it is meant: of JSON, whatever its white space.
    pub(crate) fn meant(&self) -> Value {
        let framed = self
            .get("Content-Type")
            .is_some_and(|name| name.starts_with("application/grpc+json"));
        let text = if framed {
            self.body.get(5..).unwrap_or_default()
        } else {
            &self.body
        };
        serde_json::from_slice(text).unwrap_or_else(|_| json!(self.body))
    }
}

/// The next envelope of a subscription.
pub(crate) async fn next(subscriber: &mut Subscriber) -> Envelope {
    let message = tokio::time::timeout(LIMIT, subscriber.next())
        .await
        .expect("an answer")
        .unwrap();
    Envelope::read(&message.payload).expect("an envelope")
}

/// A subscription that the server knows of.
pub(crate) async fn subscribed(nats: &Client, subject: &str) -> Subscriber {
    let subscriber = nats.subscribe(subject.to_owned()).await.unwrap();
    // Nobody serves it, so that the server's answer comes after it has read what was sent before.
    nats.request("fence.of.a.test", Vec::new().into())
        .await
        .unwrap_err();
    subscriber
}
