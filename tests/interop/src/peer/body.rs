//! Bodies as the lines have them, and failures as they are told.

use anyhow::{Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use micro::{Codec, Context, Headers, Json, Payload as _, Proto, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a body is: any JSON, the text of a protobuf message, or raw bytes as base64.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    #[serde(alias = "")]
    #[default]
    Json,
    Pb,
    Raw,
}

impl Kind {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Kind::Json => "application/json",
            Kind::Pb => "application/protobuf",
            Kind::Raw => "application/octet-stream",
        }
    }

    pub(super) fn decode(self, body: &Value) -> Result<Bytes> {
        let text = body.as_str().unwrap_or_default();
        Ok(match self {
            Kind::Json => Json(body).encode(Codec::Json)?,
            Kind::Pb => Proto(text.to_owned()).encode(Codec::Protobuf)?,
            Kind::Raw => STANDARD.decode(text)?.into(),
        })
    }

    pub(super) fn show(self, body: Bytes) -> Result<Value> {
        Ok(match self {
            Kind::Json => serde_json::from_slice(&body)?,
            Kind::Pb => Proto::<String>::decode(Codec::Protobuf, body)?.0.into(),
            Kind::Raw => STANDARD.encode(body).into(),
        })
    }
}

/// What a call ended with.
#[derive(Debug, Serialize)]
pub(super) struct Failure {
    id: String,
    detail: String,
    grpc: &'static str,
    never_delivered: bool,
}

impl From<&Status> for Failure {
    fn from(status: &Status) -> Self {
        Failure {
            id: status.id().unwrap_or_default().to_owned(),
            detail: status.message().to_owned(),
            grpc: status.code().name(),
            never_delivered: status.is_never_delivered(),
        }
    }
}

pub(super) fn failed(status: &Status) -> Option<Failure> {
    Some(status.into())
}

pub(super) fn headers(map: &BTreeMap<String, String>) -> Headers {
    map.iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

pub(super) fn shown_headers(headers: &Headers) -> Value {
    json!(headers.iter().collect::<BTreeMap<_, _>>())
}

pub(super) fn context(metadata: &BTreeMap<String, String>, timeout_ms: u64) -> Context {
    let context = Context::new().with_metadata(headers(metadata));
    match timeout_ms {
        0 => context,
        ms => context.with_timeout(Duration::from_millis(ms)),
    }
}

pub(super) fn unsupported<T>(what: &str) -> Result<T> {
    bail!("the Rust peer has no {what}")
}
