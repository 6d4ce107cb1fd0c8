//! How a go-micro process reads what registries say: it does not look whether what it follows is there.

use async_nats::Message;
use proptest::prelude::*;
use serde_json::Value;

/// Where registries speak, of both generations.
pub(crate) const SUBJECTS: [&str; 4] = [
    "micro.nats.query",
    "micro.nats.watch",
    "micro.registry.nats.query",
    "micro.registry.nats.watch",
];

/// JSON at all.
pub(crate) fn read(message: &Message) -> Result<Value, TestCaseError> {
    serde_json::from_slice(&message.payload)
        .map_err(|error| TestCaseError::fail(format!("{error}: {:?}", message.payload)))
}

/// A query or an announcement.
pub(crate) fn notice(message: &Message) -> Result<(), TestCaseError> {
    let value = read(message)?;
    let action = value["Action"].as_str().unwrap_or_default();
    match (action, message.subject.ends_with(".query")) {
        ("list", true) => Ok(()),
        ("get", true) | ("create" | "update" | "delete", false) => service(&value["Service"]),
        _ => Err(TestCaseError::fail(format!("{action:?} on {}", message.subject))),
    }
}

/// A record.
pub(crate) fn service(value: &Value) -> Result<(), TestCaseError> {
    prop_assert!(
        value["name"].as_str().is_some_and(|name| !name.is_empty()),
        "no name: {value}"
    );
    prop_assert!(value["version"].is_string(), "no version: {value}");
    texts(&value["metadata"])?;
    for node in items(&value["nodes"])? {
        prop_assert!(
            node["id"].as_str().is_some_and(|id| !id.is_empty()),
            "no id: {node}"
        );
        prop_assert!(node["address"].is_string(), "no address: {node}");
        texts(&node["metadata"])?;
    }
    for endpoint in items(&value["endpoints"])? {
        prop_assert!(endpoint["name"].is_string(), "no name: {endpoint}");
        texts(&endpoint["metadata"])?;
        shape(&endpoint["request"])?;
        shape(&endpoint["response"])?;
    }
    Ok(())
}

fn shape(value: &Value) -> Result<(), TestCaseError> {
    if value.is_null() {
        return Ok(());
    }
    prop_assert!(
        value["name"].is_string() && value["type"].is_string(),
        "no shape: {value}"
    );
    for field in items(&value["values"])? {
        prop_assert!(field.is_object(), "no field: {field}");
        shape(field)?;
    }
    Ok(())
}

fn texts(metadata: &Value) -> Result<(), TestCaseError> {
    let all = metadata
        .as_object()
        .is_some_and(|entries| entries.values().all(Value::is_string));
    prop_assert!(all || metadata.is_null(), "no metadata: {metadata}");
    Ok(())
}

fn items(list: &Value) -> Result<&[Value], TestCaseError> {
    prop_assert!(list.is_array() || list.is_null(), "no list: {list}");
    Ok(list.as_array().map(Vec::as_slice).unwrap_or_default())
}
