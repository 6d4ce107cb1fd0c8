//! JSON to a message, as leniently as a go-micro peer reads it.

use std::borrow::Cow;
use std::fmt;

use micro_core::message::Headers;
use micro_core::{Error, ErrorKind, Message, Result, Text};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::body::Body;
use super::{MAX_HEADER_BYTES, MAX_HEADERS, known};

/// The longest part of a parser's complaint that an error keeps: it may quote what it complains about.
const MAX_REASON: usize = 160;

/// What a call carries, with some of the caller's own.
const TYPICAL_HEADERS: usize = 12;

/// Decodes a message.
///
/// What Go's decoder accepts is accepted: `Header` and `Body` in any case, missing, or `null` (empty); other members,
/// which are passed over; `null` in place of the whole, which is an empty message, and in place of a header's value,
/// which is an empty text; escapes and line breaks in base64. Of a header named twice the last value counts; of
/// `Header` given twice both are read, the later over the earlier; of `Body` the last.
///
/// # Errors
/// [`ErrorKind::Malformed`] for all that is not such a message: other JSON, invalid UTF-8 (also behind an escape), base64
/// without its padding, header values that are not text, bytes behind the end, or more headers than [`MAX_HEADERS`]
/// and [`MAX_HEADER_BYTES`] allow.
pub fn decode(payload: &[u8]) -> Result<Message> {
    let text = std::str::from_utf8(payload)
        .map_err(|error| malformed(payload, "it is not UTF-8").with_source(error))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let decoded = reader
        .deserialize_any(Envelope)
        .and_then(|message| reader.end().map(|()| message));
    decoded.map_err(|error| malformed(payload, &error.to_string()))
}

fn malformed(payload: &[u8], reason: &str) -> Error {
    let reason: String = reason.chars().take(MAX_REASON).collect();
    Error::new(ErrorKind::Malformed, format!("not a message: {reason}")).with_context("bytes", payload.len())
}

struct Envelope;

impl<'de> Visitor<'de> for Envelope {
    type Value = Message;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with Header and Body")
    }

    fn visit_unit<E>(self) -> Result<Message, E> {
        Ok(Message::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Message, A::Error> {
        let mut message = Message::default();
        while let Some(member) = map.next_key_seed(MemberName)? {
            match member {
                Member::Header => map.next_value_seed(HeaderInto(&mut message.headers))?,
                Member::Body => message.body = map.next_value_seed(Body)?,
                Member::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(message)
    }
}

enum Member {
    Header,
    Body,
    Other,
}

struct MemberName;

impl<'de> DeserializeSeed<'de> for MemberName {
    type Value = Member;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Member, D::Error> {
        input.deserialize_str(self)
    }
}

impl Visitor<'_> for MemberName {
    type Value = Member;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Member, E> {
        Ok(match name {
            _ if name.eq_ignore_ascii_case("Header") => Member::Header,
            _ if name.eq_ignore_ascii_case("Body") => Member::Body,
            _ => Member::Other,
        })
    }
}

/// Reads an object into headers that may hold some already: Go reads a second `Header` into the same map.
struct HeaderInto<'a>(&'a mut Headers);

impl<'de> DeserializeSeed<'de> for HeaderInto<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for HeaderInto<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts as Header")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        *self.0 = Headers::new();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.0.is_empty() {
            *self.0 = Headers::with_capacity(TYPICAL_HEADERS);
        }
        let mut limits = Limits::of(self.0);
        while let Some(name) = map.next_key_seed(HeaderText(known::name))? {
            let value = map.next_value_seed(HeaderText(known::value))?;
            limits.take(&name, &value)?;
            self.0.insert(name, value);
        }
        Ok(())
    }
}

/// Counts what was read, not what is kept: a name that comes again and again costs time, too.
struct Limits {
    count: usize,
    bytes: usize,
}

impl Limits {
    fn of(headers: &Headers) -> Self {
        Limits {
            count: headers.len(),
            bytes: headers.iter().map(|(name, value)| name.len() + value.len()).sum(),
        }
    }

    fn take<E: de::Error>(&mut self, name: &str, value: &str) -> Result<(), E> {
        self.count += 1;
        self.bytes += name.len() + value.len();
        match self.count > MAX_HEADERS || self.bytes > MAX_HEADER_BYTES {
            true => Err(E::custom("too many headers")),
            false => Ok(()),
        }
    }
}

/// Reads one text of a header through a table of known ones.
struct HeaderText(fn(&str) -> Text);

impl<'de> DeserializeSeed<'de> for HeaderText {
    type Value = Text;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Text, D::Error> {
        input.deserialize_any(self)
    }
}

impl Visitor<'_> for HeaderText {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text as a header's value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok((self.0)(text))
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Cow::Borrowed(""))
    }
}
