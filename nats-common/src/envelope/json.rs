//! A message in whatever JSON it is written, read as leniently as go-micro reads it.

use std::fmt;

use micro_core::message::Headers;
use micro_core::{Message, Text};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::body::Body;
use super::known;
use super::limits::{Limits, TYPICAL_HEADERS};

/// Reads a message, whichever way its JSON is written.
pub(super) fn decode(text: &str) -> serde_json::Result<Message> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let message = reader.deserialize_any(Envelope)?;
    reader.end()?;
    Ok(message)
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
        while let Some(name) = map.next_key_seed(HeaderText)? {
            let value = map.next_value_seed(HeaderText)?;
            if !limits.take(&name, &value) {
                return Err(de::Error::custom("too many headers"));
            }
            self.0.insert(name, value);
        }
        Ok(())
    }
}

/// Reads one text of a header.
struct HeaderText;

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
        Ok(known::header(text))
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text::default())
    }
}
