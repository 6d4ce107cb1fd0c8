use std::fs;
use std::path::Path;

use micro_core::registry::{Endpoint, Node, Value as Shape};
use serde_json::Value;

use super::*;

const ROOMY: usize = 1 << 20;

/// What go-micro put on the wire, of both generations: subject, reply subject, payload.
fn captured() -> Vec<(String, String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors");
    let mut messages = Vec::new();
    for file in ["go-micro-v6.jsonl", "go-micro-v2.jsonl"] {
        for line in fs::read_to_string(folder.join(file)).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            messages.push((text("subject"), text("reply"), text("payload")));
        }
    }
    messages
}

/// Without what is null or empty: Go writes either for what is not there.
fn bare(value: &Value) -> Value {
    let is_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    match value {
        Value::Array(items) => items.iter().map(bare).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| (key.clone(), bare(value)));
            members.filter(|(_, value)| !is_nothing(value)).collect()
        }
        other => other.clone(),
    }
}

fn assert_same(written: &[u8], captured: &str) {
    let written: Value = serde_json::from_slice(written).unwrap();
    let captured: Value = serde_json::from_str(captured).unwrap();
    assert_eq!(bare(&written), bare(&captured));
}

#[test]
fn every_captured_change_is_read_and_written_back() {
    let mut count = 0;
    for (_, _, payload) in captured()
        .iter()
        .filter(|(subject, ..)| subject.ends_with(".watch"))
    {
        let change = read_change(payload.as_bytes()).unwrap();
        let written = write_change(&change, ROOMY).unwrap();
        assert_same(&written[0], payload);
        count += 1;
    }
    assert_eq!(count, 30);
}

#[test]
fn every_captured_query_is_read_and_written_back() {
    let mut queries = Vec::new();
    for (_, _, payload) in captured()
        .iter()
        .filter(|(subject, ..)| subject.ends_with(".query"))
    {
        let query = Query::read(payload.as_bytes()).unwrap();
        assert_same(&query.write().unwrap(), payload);
        queries.push(query);
    }
    assert!(queries.contains(&Query::List) && queries.contains(&Query::Get("greeter".into())));
    assert_eq!(queries.len(), 12);
}

#[test]
fn every_captured_answer_is_read_and_written_back() {
    let messages = captured();
    let asked: Vec<_> = messages
        .iter()
        .filter(|(subject, ..)| subject.ends_with(".query"))
        .collect();
    let mut count = 0;
    for (_, _, payload) in messages
        .iter()
        .filter(|(to, ..)| asked.iter().any(|(_, reply, _)| reply == to))
    {
        let service = read_answer(payload.as_bytes()).unwrap();
        assert_same(&write_answer(&service, ROOMY).unwrap()[0], payload);
        count += 1;
    }
    assert_eq!(count, 10);
}

#[test]
fn the_written_forms_are_exact() {
    let service = ServiceRecord::new("a", "1").with_node(Node::new("n", "x"));
    let expected = r#"{"Service":{"name":"a","version":"1","metadata":{},"endpoints":[],"nodes":[{"metadata":{},"id":"n","address":"x"}]},"Action":"delete"}"#;
    let change = Change::new(Action::Delete, service);
    assert_eq!(write_change(&change, ROOMY).unwrap(), [expected]);
    let expected =
        r#"{"Service":{"name":"a","version":"","metadata":{},"endpoints":[],"nodes":[]},"Action":"get"}"#;
    assert_eq!(Query::Get("a".into()).write().unwrap(), expected);
    assert_eq!(
        Query::List.write().unwrap(),
        r#"{"Service":null,"Action":"list"}"#
    );
}

#[test]
fn what_is_none_of_ours_is_malformed() {
    let texts = [
        "",
        "null",
        "not json",
        "[]",
        "{}",
        "1",
        r#"{"Service":null,"Action":"get"}"#,
        r#"{"Service":{},"Action":"get"}"#,
        r#"{"Service":null,"Action":"create"}"#,
        r#"{"Service":{"name":"a"},"Action":"create"}"#,
        r#"{"Service":{"name":"a","nodes":[{"id":"","address":"x"}]},"Action":"delete"}"#,
        r#"{"Service":{"name":"a","nodes":[{"id":"n"}]},"Action":"create"}"#,
        r#"{"Service":{"name":"a","nodes":[null]},"Action":"create"}"#,
        r#"{"Service":{"name":"","nodes":[{"id":"n","address":"x"}]},"Action":"update"}"#,
        r#"{"Service":{"name":"a","nodes":[{"id":"n","address":"x"}]},"Action":"explode"}"#,
        r#"{"Service":{"name":"a","nodes":[{"id":"n","address":"x"}]}}"#,
        r#"{"Service":[],"Action":7}"#,
        "\u{0}",
    ];
    for text in texts {
        let kind = |error: Error| error.kind();
        let malformed = Some(ErrorKind::Malformed);
        assert_eq!(Query::read(text.as_bytes()).err().map(kind), malformed, "{text}");
        assert_eq!(read_change(text.as_bytes()).err().map(kind), malformed, "{text}");
        assert_eq!(read_answer(text.as_bytes()).err().map(kind), malformed, "{text}");
    }
}

#[test]
fn what_is_half_empty_is_read_as_far_as_it_goes() {
    let text = r#"{"Service":{"name":"a","nodes":[{"id":"n","address":"x","metadata":null},{"id":"m"}]},"Action":"update","More":1}"#;
    let change = read_change(text.as_bytes()).unwrap();
    assert_eq!(
        change.service,
        ServiceRecord::new("a", "").with_node(Node::new("n", "x"))
    );
    let text = r#"{"Action":"get","Service":{"name":"a","nodes":null}}"#;
    assert_eq!(Query::read(text.as_bytes()).unwrap(), Query::Get("a".into()));
}

#[test]
fn many_nodes_are_told_in_several_messages() {
    let mut service = ServiceRecord::new("a", "1");
    service.nodes = (0..100).map(|n| Node::new(format!("n{n}"), "x")).collect();
    let payloads = write_answer(&service, 1000).unwrap();
    assert!(payloads.len() > 4 && payloads.iter().all(|payload| payload.len() <= 1000));
    let mut together = ServiceRecord::new("a", "1");
    for payload in &payloads {
        together.merge(read_answer(payload).unwrap());
    }
    assert_eq!(together, service);
}

#[test]
fn one_node_too_large_is_refused() {
    let service = ServiceRecord::new("a", "1").with_node(Node::new("n", "x".repeat(1000)));
    let error = write_answer(&service, 1000).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceExhausted);
}

/// Whatever we are given to tell, a go-micro process must be able to read: it dies of a missing service.
#[test]
fn everything_written_has_the_parts_that_go_micro_relies_on() {
    let mut random = Random(3);
    for _ in 0..2_000 {
        let service = random.record();
        for action in [Action::Create, Action::Update, Action::Delete] {
            let change = Change::new(action, service.clone());
            for payload in write_change(&change, ROOMY).unwrap() {
                let notice: Value = serde_json::from_slice(&payload).unwrap();
                assert_eq!(notice.as_object().unwrap().len(), 2);
                assert!(["create", "update", "delete"].contains(&notice["Action"].as_str().unwrap()));
                assert_is_service(&notice["Service"]);
                assert_eq!(notice["Service"]["name"], service.name);
            }
        }
        for payload in write_answer(&service, 400).unwrap_or_default() {
            assert_is_service(&serde_json::from_slice(&payload).unwrap());
        }
        let query: Value = serde_json::from_slice(&Query::Get(random.text()).write().unwrap()).unwrap();
        assert_eq!(query["Action"], "get");
        assert_is_service(&query["Service"]);
    }
}

/// As Go's types have it: no element that is null where Go does not look before it reads.
fn assert_is_service(service: &Value) {
    assert_texts(service, &["name", "version"]);
    assert_metadata(&service["metadata"]);
    for node in service["nodes"].as_array().unwrap() {
        assert_texts(node, &["id", "address"]);
        assert_metadata(&node["metadata"]);
    }
    for endpoint in service["endpoints"].as_array().unwrap() {
        assert_texts(endpoint, &["name"]);
        assert_metadata(&endpoint["metadata"]);
        for shape in ["request", "response"] {
            if !endpoint[shape].is_null() {
                assert_is_shape(&endpoint[shape]);
            }
        }
    }
}

fn assert_is_shape(shape: &Value) {
    assert_texts(shape, &["name", "type"]);
    shape["values"]
        .as_array()
        .unwrap()
        .iter()
        .for_each(assert_is_shape);
}

fn assert_texts(value: &Value, members: &[&str]) {
    assert!(value.is_object(), "{value}");
    for member in members {
        assert!(value[member].is_string(), "{member} in {value}");
    }
}

fn assert_metadata(value: &Value) {
    assert!(
        value.as_object().unwrap().values().all(Value::is_string),
        "{value}"
    );
}

/// A generator with a seed: what it finds, it finds again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }

    fn text(&mut self) -> String {
        const ALPHABET: &[&str] = &[
            "a", "Z", ".", "\"", "\\", "\n", "\0", "\u{7f}", "null", "é", "\u{2028}", "😀",
        ];
        (0..self.below(6))
            .map(|_| ALPHABET[self.below(ALPHABET.len())])
            .collect()
    }

    fn metadata(&mut self) -> micro_core::Metadata {
        (0..self.below(4)).map(|_| (self.text(), self.text())).collect()
    }

    fn shape(&mut self, depth: usize) -> Shape {
        Shape {
            name: self.text(),
            kind: self.text(),
            values: (0..self.below(3).min(depth))
                .map(|_| self.shape(depth - 1))
                .collect(),
        }
    }

    fn endpoint(&mut self) -> Endpoint {
        Endpoint {
            request: (self.below(2) == 0).then(|| self.shape(3)),
            response: (self.below(2) == 0).then(|| self.shape(3)),
            metadata: self.metadata(),
            name: self.text(),
        }
    }

    fn record(&mut self) -> ServiceRecord {
        let mut record = ServiceRecord::new(self.text(), self.text());
        record.metadata = self.metadata();
        record.endpoints = (0..self.below(4)).map(|_| self.endpoint()).collect();
        for _ in 0..self.below(5) {
            let mut node = Node::new(self.text(), self.text());
            node.metadata = self.metadata();
            record.nodes.push(node);
        }
        record
    }
}
