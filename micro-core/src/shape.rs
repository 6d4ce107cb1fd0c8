//! The shape of a value, found out from its type.
//!
//! A registry tells callers what an endpoint takes and answers. serde knows: a type asks its deserializer for
//! what it needs. [`Value::of`] is a deserializer that writes the questions down. Each field is asked for first in
//! a pass of its own, so that one which takes no sample value does not hide the others.

mod trace;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

/// The shape of a value: a tree of names and types, as go-micro keeps it in its registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Value {
    /// The name of the field, or of the type at the root.
    #[serde(deserialize_with = "null_is_default")]
    pub name: String,
    /// The name of its type: Go's for what Go has (`string`, `int64`, `[]uint8`, `map[string]bool`), else its own.
    #[serde(rename = "type", deserialize_with = "null_is_default")]
    pub kind: String,
    /// Its fields.
    #[serde(deserialize_with = "null_is_default")]
    pub values: Vec<Value>,
}

impl Value {
    /// The shape of a type, down to [`DEPTH`] levels of fields.
    ///
    /// ```
    /// # use micro_core::shape::Value;
    /// #[derive(serde::Deserialize)]
    /// struct Hello { name: String, times: Option<u32> }
    /// let shape = Value::of::<Hello>();
    /// assert_eq!((shape.kind.as_str(), shape.values[1].name.as_str()), ("Hello", "times"));
    /// assert_eq!(shape.values[1].kind, "uint32");
    /// ```
    pub fn of<T: DeserializeOwned>() -> Self {
        let mut value = trace::shape::<T>();
        value.name.clone_from(&value.kind);
        value
    }

    /// A shape that was written down as a registry writes it; `None` when it was not.
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// How many levels of fields are told; go-micro tells as many.
pub const DEPTH: usize = 3;

/// Go writes `null` for what was never set.
pub(crate) fn null_is_default<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only the shape is used")]
    struct Order {
        id: u64,
        paid: bool,
        when: Strict,
        lines: Vec<Line>,
        notes: HashMap<String, String>,
        parent: Option<Box<Order>>,
        kind: Kind,
        raw: serde_json::Value,
    }

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only the shape is used")]
    struct Line {
        price: f64,
    }

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only the shape is used")]
    enum Kind {
        Small,
        Large { by: i8 },
    }

    /// Accepts no sample value.
    struct Strict;

    impl<'de> Deserialize<'de> for Strict {
        fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
            let text = String::deserialize(input)?;
            if text == "2026-11-21" {
                Ok(Strict)
            } else {
                Err(serde::de::Error::custom("not a date"))
            }
        }
    }

    #[test]
    fn fields_have_names_and_types() {
        let shape = Value::of::<Order>();
        let fields: Vec<_> = shape
            .values
            .iter()
            .map(|v| (v.name.as_str(), v.kind.as_str()))
            .collect();
        let expected = [
            ("id", "uint64"),
            ("paid", "bool"),
            ("when", "string"),
            ("lines", "[]Line"),
            ("notes", "map[string]string"),
            ("parent", "Order"),
            ("kind", "Kind"),
            ("raw", "any"),
        ];
        assert_eq!((shape.name.as_str(), fields.as_slice()), ("Order", &expected[..]));
        assert_eq!(
            shape.values[3].values,
            [Value {
                name: "price".into(),
                kind: "float64".into(),
                values: vec![]
            }]
        );
    }

    #[test]
    fn a_type_that_contains_itself_has_an_end() {
        let mut value = &Value::of::<Order>();
        let mut levels = 0;
        while let Some(parent) = value.values.iter().find(|v| v.name == "parent") {
            (value, levels) = (parent, levels + 1);
        }
        assert_eq!(levels, DEPTH);
    }

    #[test]
    fn plain_values_have_a_shape_too() {
        assert_eq!(Value::of::<Vec<u8>>().kind, "[]uint8");
        assert_eq!(Value::of::<()>().kind, "");
        assert_eq!(Value::of::<(String, i32)>().kind, "[]any");
    }
}
