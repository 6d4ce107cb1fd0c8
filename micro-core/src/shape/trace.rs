//! A deserializer that writes down what it is asked for.

use std::cell::RefCell;
use std::marker::PhantomData;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::shape::{DEPTH, Value};

/// What ends a pass: nothing is wrong, no more can be learnt.
type Stop = serde::de::value::Error;

fn stop<T>() -> Result<T, Stop> {
    Err(serde::de::Error::custom("no more can be learnt"))
}

/// The shape of a type; its name stays empty.
pub(super) fn shape<T: DeserializeOwned>() -> Value {
    let mut found = Value::default();
    let mut turn = 0;
    // One pass for each field of the root. A type without fields has one pass.
    loop {
        let mut pass = Value::default();
        let seen = Seen::default();
        // Whether the value could be made is of no interest.
        T::deserialize(Tracer {
            value: &mut pass,
            turns: Turns { turn, depth: 0 },
            seen: &seen,
        })
        .ok();
        merge(&mut found, pass);
        turn += 1;
        if turn >= seen.widest.into_inner() {
            return found;
        }
    }
}

/// Takes over what a later pass learnt and the earlier ones did not.
fn merge(found: &mut Value, pass: Value) {
    if found.kind.is_empty() || found.kind.ends_with("any") {
        found.kind = pass.kind;
    }
    for (index, field) in pass.values.into_iter().enumerate() {
        match found.values.get_mut(index) {
            Some(known) => merge(known, field),
            None => found.values.push(field),
        }
    }
}

/// Which field comes first in this pass, and how deep we are.
#[derive(Clone, Copy)]
struct Turns {
    turn: usize,
    depth: usize,
}

/// What a pass met: the largest number of fields of any struct, which is how many passes there are.
#[derive(Default)]
struct Seen {
    widest: RefCell<usize>,
}

impl Seen {
    fn note_width(&self, fields: usize) {
        let mut widest = self.widest.borrow_mut();
        *widest = (*widest).max(fields);
    }
}

struct Tracer<'a> {
    value: &'a mut Value,
    turns: Turns,
    seen: &'a Seen,
}

impl Tracer<'_> {
    fn note(&mut self, kind: &str) {
        self.value.kind = kind.to_owned();
    }
}

macro_rules! scalars {
    ($($method:ident, $visit:ident, $kind:literal, $sample:expr;)*) => {
        $(fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
            self.note($kind);
            visitor.$visit($sample)
        })*
    };
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Stop;

    scalars! {
        deserialize_bool, visit_bool, "bool", false;
        deserialize_i8, visit_i8, "int8", 0;
        deserialize_i16, visit_i16, "int16", 0;
        deserialize_i32, visit_i32, "int32", 0;
        deserialize_i64, visit_i64, "int64", 0;
        deserialize_u8, visit_u8, "uint8", 0;
        deserialize_u16, visit_u16, "uint16", 0;
        deserialize_u32, visit_u32, "uint32", 0;
        deserialize_u64, visit_u64, "uint64", 0;
        deserialize_f32, visit_f32, "float32", 0.0;
        deserialize_f64, visit_f64, "float64", 0.0;
        deserialize_char, visit_char, "string", ' ';
        deserialize_str, visit_str, "string", "";
        deserialize_string, visit_str, "string", "";
        deserialize_bytes, visit_bytes, "[]uint8", &[];
        deserialize_byte_buf, visit_bytes, "[]uint8", &[];
    }

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        self.note("any");
        visitor.visit_unit()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let Tracer { value, turns, seen } = self;
        let mut element = Value {
            kind: "any".into(),
            ..Value::default()
        };
        let made = visitor.visit_seq(Element {
            value: Some(&mut element),
            turns,
            seen,
        });
        value.kind = format!("[]{}", element.kind);
        value.values = element.values;
        made
    }

    fn deserialize_tuple<V: Visitor<'de>>(mut self, _: usize, _: V) -> Result<V::Value, Stop> {
        self.note("[]any");
        stop()
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let Tracer { value, turns, seen } = self;
        let (mut key, mut element) = (
            Value::default(),
            Value {
                kind: "any".into(),
                ..Value::default()
            },
        );
        let made = visitor.visit_map(Entry {
            key: Some(&mut key),
            value: &mut element,
            turns,
            seen,
        });
        value.kind = format!("map[{}]{}", key.kind, element.kind);
        value.values = element.values;
        made
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.note(name);
        let Tracer { value, turns, seen } = self;
        if turns.depth == DEPTH {
            return stop();
        }
        seen.note_width(fields.len());
        value.values = fields
            .iter()
            .map(|name| Value {
                name: (*name).into(),
                ..Value::default()
            })
            .collect();
        let next = turns.turn % fields.len().max(1);
        visitor.visit_map(Fields {
            names: fields,
            value,
            next,
            left: fields.len(),
            turns,
            seen,
            key: PhantomData,
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Stop> {
        self.note(name);
        stop()
    }

    forward_to_deserialize_any! { i128 u128 unit_struct tuple_struct identifier ignored_any }
}

/// The fields of a struct, beginning with the one whose turn it is.
struct Fields<'a> {
    names: &'static [&'static str],
    value: &'a mut Value,
    next: usize,
    left: usize,
    turns: Turns,
    seen: &'a Seen,
    key: PhantomData<&'static str>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        match self.names.get(self.next) {
            Some(name) if self.left > 0 => seed.deserialize(StrDeserializer::new(name)).map(Some),
            _ => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        let field = self.next;
        (self.next, self.left) = ((field + 1) % self.names.len(), self.left - 1);
        let turns = Turns {
            depth: self.turns.depth + 1,
            ..self.turns
        };
        match self.value.values.get_mut(field) {
            Some(value) => seed.deserialize(Tracer {
                value,
                turns,
                seen: self.seen,
            }),
            None => stop(),
        }
    }
}

/// One element of a sequence.
struct Element<'a> {
    value: Option<&'a mut Value>,
    turns: Turns,
    seen: &'a Seen,
}

impl<'de> SeqAccess<'de> for Element<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stop> {
        match self.value.take() {
            Some(value) => seed
                .deserialize(Tracer {
                    value,
                    turns: self.turns,
                    seen: self.seen,
                })
                .map(Some),
            None => Ok(None),
        }
    }
}

/// One entry of a map.
struct Entry<'a> {
    key: Option<&'a mut Value>,
    value: &'a mut Value,
    turns: Turns,
    seen: &'a Seen,
}

impl<'de> MapAccess<'de> for Entry<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        match self.key.take() {
            Some(value) => seed
                .deserialize(Tracer {
                    value,
                    turns: self.turns,
                    seen: self.seen,
                })
                .map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        seed.deserialize(Tracer {
            value: self.value,
            turns: self.turns,
            seen: self.seen,
        })
    }
}
