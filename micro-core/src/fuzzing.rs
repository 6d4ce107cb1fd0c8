//! What bytes of strangers must not do here: the properties that the targets in `fuzz/` hold this crate to.
//!
//! Each takes any bytes and panics when a property does not hold. A test replays the committed inputs.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::address::Address;
use crate::codec::{Codec, Json, Payload, Proto};
use crate::message::{Headers, Message, Text};
use crate::name;
use crate::observe::TraceContext;
use crate::rpc::frame::{FromCaller, ServerEvent, from_caller, from_server};
use crate::rpc::framing::Framing;
use crate::rpc::{Body, Context, Status, micro_error};
use crate::shape::Value;

mod servers;

pub use servers::servers;

/// A message as people write one down: `name: value` in lines of their own, an empty line, and the body.
pub fn message(data: &[u8]) -> Message {
    let end = data.windows(2).position(|two| two == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&data[..end], &data[end + 2..]),
        None => (data, &[][..]),
    };
    let head = String::from_utf8_lossy(head);
    let header = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        Some((Text::new(name), Text::new(value)))
    };
    Message {
        headers: head.lines().filter_map(header).collect(),
        body: Bytes::copy_from_slice(body),
    }
}

/// What a caller says is a call or the end of one; its answers name it, and say to the caller what they mean.
pub fn from_callers(data: &[u8]) {
    let FromCaller::Call(mut call) = from_caller(message(data)) else {
        return;
    };
    let body = call.take_body().unwrap_or_default();
    let (reply, request) = call.into_request(Context::new(), Body::One(body), Instant::now());
    assert_eq!(request.service, reply.service);
    assert!(
        request
            .context
            .metadata()
            .iter()
            .all(|(name, _)| !crate::rpc::is_reserved(name))
    );
    let status = Status::not_found("why")
        .with_details(&b"\0"[..])
        .never_delivered();
    match from_server(reply.failure(&status)).event {
        ServerEvent::Failed(told) => assert!(same(&told, &status), "{told:?}"),
        event => {
            let pong = matches!(event, ServerEvent::Pong) && reply.id == "ping";
            assert!(pong, "a failure became {event:?}");
        }
    }
    if let Ok(answer) = reply.answer(
        reply.content_type.clone(),
        Headers::new(),
        Bytes::from_static(b"1"),
    ) {
        let heard = from_server(answer);
        assert_eq!(heard.id, Some(reply.id.parse().unwrap_or(u64::MAX)));
        let is_answer = matches!(heard.event, ServerEvent::Body { .. } | ServerEvent::Pong);
        assert!(is_answer, "{:?}", heard.event);
    }
}

/// What a server says, a caller can say again to its own caller.
pub fn from_servers(data: &[u8]) {
    if let ServerEvent::Failed(status) = from_server(message(data)).event {
        again(&status);
    }
}

/// What a call ended with survives being said again, and is never mistaken for success.
pub fn statuses(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if text.is_empty() || text == "EOS" {
        // Success, and the end of a stream.
        return;
    }
    let status = micro_error::decode(&text);
    again(&status);
    if !text.trim_start().starts_with('{') {
        assert_eq!(
            micro_error::encode(&status, "service"),
            text,
            "the words of a peer are lost"
        );
    }
}

/// What content types put around bodies comes off again.
pub fn framings(data: &[u8]) {
    let all = [Framing::Plain, Framing::Grpc, Framing::JsonRpc, Framing::ProtoRpc];
    let body = Bytes::copy_from_slice(data);
    for framing in all {
        for unframed in [
            framing.unframe_request(body.clone()),
            framing.unframe_answer(body.clone()),
        ] {
            let Ok(inner) = unframed else { continue };
            assert!(inner.len() <= body.len().max(4));
            let Ok(framed) = framing.request("A.B", "1", inner.clone()) else {
                continue;
            };
            assert_eq!(
                framing.unframe_request(framed).ok(),
                Some(inner.clone()),
                "{framing:?}"
            );
            let framed = framing.answer("1", inner.clone()).ok();
            assert_eq!(
                framed.and_then(|framed| framing.unframe_answer(framed).ok()),
                Some(inner)
            );
        }
    }
}

/// Names, addresses, content types and traces are checked as they say, each of which strangers choose.
pub fn names(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    if let Ok(address) = Address::new(text) {
        assert_eq!(address.as_str().parse().ok(), Some(address));
    }
    let plain = name::check_topic(text).is_ok();
    assert_eq!(plain, name::check_service(text).is_ok());
    if plain {
        assert!(name::check_pattern(text).is_ok() && name::matches(text, text) && name::matches(">", text));
    }
    if name::check_endpoint(text).is_ok() {
        assert!(plain);
    }
    if let Some((pattern, topic)) = text.split_once('\n') {
        name::matches(pattern, topic);
    }
    if let Ok(codec) = Codec::of(text) {
        assert_eq!(Codec::of(codec.content_type()).ok(), Some(codec));
    }
    if let Some(trace) = TraceContext::new(text.to_owned()) {
        let mut headers = Headers::new();
        trace.write(&mut headers);
        assert_eq!(TraceContext::of(&headers), Some(trace));
    }
}

/// Values that were read are written down, and read as the same.
pub fn values(data: &[u8]) {
    let body = Bytes::copy_from_slice(data);
    comes_back::<Json<Sample>>(&body);
    comes_back::<Proto<SampleMessage>>(&body);
    comes_back::<Json<Value>>(&body);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sample {
    name: String,
    #[serde(default)]
    count: u64,
    #[serde(default)]
    inner: Option<Box<Sample>>,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    all: BTreeMap<String, Vec<i8>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Kind {
    #[default]
    Small,
    Large {
        by: char,
    },
}

#[derive(Clone, PartialEq, prost::Message)]
struct SampleMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint64, repeated, tag = "2")]
    counts: Vec<u64>,
    #[prost(message, optional, boxed, tag = "3")]
    inner: Option<Box<SampleMessage>>,
}

fn comes_back<T: Payload + PartialEq + std::fmt::Debug>(body: &Bytes) {
    let Ok(value) = T::decode(T::CODEC, body.clone()) else {
        return;
    };
    let written = T::encode(&value, T::CODEC).ok();
    let read = written.and_then(|written| T::decode(T::CODEC, written).ok());
    assert_eq!(read, Some(value));
}

/// A status that is said again says the same, also the next time.
fn again(status: &Status) {
    let once = micro_error::encode(status, "service");
    assert!(
        !once.is_empty() && once != "EOS",
        "an error became a success: {status:?}"
    );
    let back = micro_error::decode(&once);
    assert!(same(&back, status), "{status:?} became {back:?}");
    assert_eq!(micro_error::encode(&back, "other"), once);
}

fn same(one: &Status, other: &Status) -> bool {
    let key = |status: &Status| {
        (
            status.code(),
            status.details().clone(),
            status.is_never_delivered(),
        )
    };
    key(one) == key(other) && one.message() == other.message()
}

#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn the_inputs_of_the_fuzz_targets_hold() {
        replay("from_callers", super::from_callers);
        replay("from_servers", super::from_servers);
        replay("statuses", super::statuses);
        replay("framings", super::framings);
        replay("names", super::names);
        replay("values", super::values);
        replay("servers", super::servers);
    }
}
