use std::fs;
use std::path::Path;

use bytes::Bytes;
use micro_core::{ErrorKind, Message};
use serde_json::{Value, json};

use super::{MAX_HEADER_BYTES, MAX_HEADERS, decode, encode, json, plain};

fn message(headers: &[(&str, &str)], body: &str) -> Message {
    let mut message = Message::new(Bytes::copy_from_slice(body.as_bytes()));
    message
        .headers
        .extend(headers.iter().map(|(n, v)| (n.to_string(), v.to_string())));
    message
}

fn read(text: &str) -> Message {
    decode(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(payload: &[u8]) {
    let error = decode(payload).expect_err("it was accepted");
    assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
    assert!(error.to_string().len() < 300, "{error}");
}

/// The captured payloads of go-micro, of both generations.
fn captured() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors");
    let mut payloads = Vec::new();
    for file in ["go-micro-v6.jsonl", "go-micro-v2.jsonl"] {
        for line in fs::read_to_string(folder.join(file)).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            payloads.push(line["payload"].as_str().unwrap().to_owned());
        }
    }
    payloads
}

/// The form in which we write what Go has several forms for.
fn normal(payload: &Value) -> Value {
    let member = |name: &str| {
        let found = payload
            .as_object()?
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found
            .map(|(_, value)| value.clone())
            .filter(|value| !value.is_null())
    };
    json!({
        "Header": member("Header").unwrap_or(json!({})),
        "Body": member("Body").unwrap_or(json!("")),
    })
}

#[test]
fn every_captured_message_is_read_and_written_back() {
    let mut count = 0;
    for payload in captured() {
        let Ok(value) = serde_json::from_str::<Value>(&payload) else {
            refused(payload.as_bytes());
            continue;
        };
        if value.get("Service").is_some() || value.get("nodes").is_some() {
            continue;
        }
        let written = encode(&read(&payload)).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&written).unwrap(),
            normal(&value),
            "{payload}"
        );
        count += 1;
    }
    // The registry's own tests read the other 52; one is no JSON.
    assert_eq!((captured().len(), count), (152, 99));
}

#[test]
fn a_captured_request_is_read_to_its_headers_and_body() {
    let request = captured()
        .into_iter()
        .find(|payload| payload.contains(r#""Micro-Endpoint":"Greeter.Hello""#))
        .unwrap();
    let request = read(&request);
    assert_eq!(request.headers.get("Micro-Endpoint"), Some("Greeter.Hello"));
    assert_eq!(request.headers.get("Micro-ID"), Some("0"));
    assert_eq!(request.headers.get("Timeout"), Some("5000000000"));
    assert_eq!(request.body, "{\"name\":\"John\"}\n");
}

#[test]
fn the_written_form_is_exact() {
    assert_eq!(encode(&Message::default()).unwrap(), r#"{"Header":{},"Body":""}"#);
    let message = message(&[("Micro-ID", "0"), ("é\"\\\n\u{1}", "<&>")], "hi");
    let expected = r#"{"Header":{"Micro-ID":"0","é\"\\\n\u0001":"<&>"},"Body":"aGk="}"#;
    assert_eq!(encode(&message).unwrap(), expected);
}

#[test]
fn absent_null_and_empty_are_one() {
    for text in [
        "{}",
        "null",
        r#"{"Header":null,"Body":null}"#,
        r#"{"Header":{},"Body":""}"#,
        r#" { "Other" : [ {"Body":1}, 1e3, null ] } "#,
    ] {
        assert_eq!(read(text), Message::default(), "{text}");
    }
}

#[test]
fn member_names_are_read_in_any_case_and_header_names_are_not_changed() {
    let expected = message(&[("micro-id", "1"), ("Micro-Id", "2")], "hello");
    assert_eq!(
        read(r#"{"HEADER":{"micro-id":"1","Micro-Id":"2"},"body":"aGVsbG8="}"#),
        expected
    );
}

#[test]
fn of_what_comes_twice_the_last_counts() {
    let text = r#"{"Header":{"a":"1","b":"1","a":"2"},"Body":"aGk=","header":{"b":"3"},"body":"aG8="}"#;
    assert_eq!(read(text), message(&[("a", "2"), ("b", "3")], "ho"));
    assert_eq!(read(r#"{"Header":{"a":"1"},"Header":null}"#), Message::default());
}

#[test]
fn escapes_are_read_everywhere() {
    let text = r#"{"\u0048eader":{"\u0041\n":"\ud83d\ude00\/","none":null},"B\u006fdy":"a\u0047k="}"#;
    assert_eq!(read(text), message(&[("A\n", "😀/"), ("none", "")], "hi"));
}

#[test]
fn base64_is_read_as_go_reads_it() {
    assert_eq!(
        read(r#"{"Body":"/\/+\u002b"}"#).body,
        [0xff, 0xff, 0xbe].as_slice()
    );
    assert_eq!(read(r#"{"Body":"aGk\u003d"}"#).body, "hi");
    assert_eq!(read(r#"{"Body":"aG\nk="}"#).body, "hi");
    // Unused bits that are not zero.
    assert_eq!(read(r#"{"Body":"aGl="}"#).body, "hi");
    for body in ["aGk", "aGk==", "a", "=", "====", "aG-_", "a Gk=", "aGk=aGk="] {
        refused(format!(r#"{{"Body":"{body}"}}"#).as_bytes());
    }
}

#[test]
fn what_is_no_message_is_malformed() {
    let long = format!(r#"{{"Header":"{}"}}"#, "x".repeat(10_000));
    for text in [
        "",
        " ",
        "not json",
        "[]",
        "1",
        r#""text""#,
        "{",
        r#"{"Header":{"#,
        r#"{"Header":[]}"#,
        r#"{"Header":{"a":1}}"#,
        r#"{"Header":{"a":["b"]}}"#,
        r#"{"Body":1}"#,
        r#"{"Body":[104]}"#,
        r#"{"Body":{}}"#,
        "{} {}",
        "{}x",
        "{}\0",
        r#"{"Header":{"a":"\ud800"}}"#,
        "{\"Header\":{\"a\":\"\n\"}}",
        long.as_str(),
    ] {
        refused(text.as_bytes());
    }
    refused(b"{\"Header\":{\"a\":\"\xff\"}}");
    refused(b"{\"Other\":\"\xc3\"}");
    refused(&[b'['; 100_000]);
}

#[test]
fn headers_have_limits() {
    let at_limit = message(&[("a", &"x".repeat(MAX_HEADER_BYTES - 1))], "");
    assert_eq!(decode(&encode(&at_limit).unwrap()).unwrap(), at_limit);
    let above = message(&[("a", &"x".repeat(MAX_HEADER_BYTES))], "");
    assert_eq!(encode(&above).unwrap_err().kind(), ErrorKind::ResourceExhausted);
    refused(
        json!({"Header": {"a": "x".repeat(10 << 20)}})
            .to_string()
            .as_bytes(),
    );

    let many: Vec<_> = (0..=MAX_HEADERS).map(|n| format!(r#""{n}":"""#)).collect();
    read(&format!(r#"{{"Header":{{{}}}}}"#, many[1..].join(",")));
    refused(format!(r#"{{"Header":{{{}}}}}"#, many.join(",")).as_bytes());
    let again = vec![r#""a":"""#; MAX_HEADERS + 1].join(",");
    refused(format!(r#"{{"Header":{{{again}}}}}"#).as_bytes());
}

#[test]
fn any_message_survives_the_way() {
    let mut random = Random(7);
    for _ in 0..2_000 {
        let mut message = Message::new(random.bytes(300));
        for _ in 0..random.below(14) {
            message.headers.insert(random.text(), random.text());
        }
        let written = encode(&message).unwrap();
        assert_eq!(decode(&written).unwrap(), message);
        // Another decoder reads the same.
        let value: Value = serde_json::from_slice(&written).unwrap();
        for (name, text) in message.headers.iter() {
            assert_eq!(value["Header"][name], text);
        }
    }
}

#[test]
fn both_ways_to_read_agree() {
    let mut plainly = 0;
    for payload in captured() {
        if let Some(message) = plain::decode(payload.as_bytes()) {
            assert_eq!(message, json::decode(&payload).unwrap());
            plainly += 1;
        }
    }
    assert!(plainly > 80, "only {plainly} of 99 captured messages");
    // What ends headers may be within one, as long as no quote is.
    let braces = r#"{"Header":{"a":"},{},"},"Body":"aGk="}"#;
    assert_eq!(
        plain::decode(braces.as_bytes()),
        Some(message(&[("a", "},{},")], "hi"))
    );
    let written = encode(&message(&[("a", "1"), ("b", ""), ("a", "é")], "body")).unwrap();
    let written = std::str::from_utf8(&written).unwrap();
    for end in 0..written.len() {
        let Some(cut) = written.get(..end) else { continue };
        assert!(
            plain::decode(cut.as_bytes()).is_none() && json::decode(cut).is_err(),
            "{cut}"
        );
    }
    for text in [
        r#"{"Header":{"a":"1",},"Body":""}"#,
        r#"{"Header":{,"a":"1"},"Body":""}"#,
        r#"{"Header":{"a""1"},"Body":""}"#,
        r#"{"Header":{"a":"1""b":"2"},"Body":""}"#,
        r#"{"Header":{},"Body":"aGk=","Body":""}"#,
        r#"{"Header":{},"Body":"aGk"}"#,
        "{\"Header\":{\"a\":\"\u{1f}\"},\"Body\":\"\"}",
        r#"{"Header":{"a":"\n"},"Body":""}"#,
        r#"{"Header":{"a":"},"Body":""}"#,
        r#"{"Header":{"a":"1"},"Body":""},"Body":""}"#,
    ] {
        assert!(plain::decode(text.as_bytes()).is_none(), "{text}");
    }
}

#[test]
fn damage_is_an_error_or_a_message_but_never_a_panic() {
    let mut random = Random(11);
    let whole = encode(&message(&[("Micro-ID", "1"), ("a\"", "\u{7f}é")], "some body")).unwrap();
    let (mut good, mut bad) = (0, 0);
    for _ in 0..20_000 {
        let mut payload = whole.to_vec();
        let cut = random.below(2) * random.below(whole.len());
        payload.truncate(whole.len() - cut);
        for _ in 0..random.below(4) {
            let at = random.below(payload.len());
            payload[at] = random.next() as u8;
        }
        let text = std::str::from_utf8(&payload).ok();
        let parsed = text.and_then(|text| json::decode(text).ok());
        match decode(&payload) {
            Ok(message) => {
                assert_eq!(parsed, Some(message));
                good += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Malformed);
                bad += 1;
            }
        }
    }
    assert!(good > 100 && bad > 100, "{good} good, {bad} bad");
}

/// A generator with a seed: what it finds, it finds again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        self.0 >> 33
    }

    fn below(&mut self, limit: usize) -> usize {
        self.next() as usize % limit.max(1)
    }

    fn bytes(&mut self, limit: usize) -> Vec<u8> {
        (0..self.below(limit)).map(|_| self.next() as u8).collect()
    }

    fn text(&mut self) -> String {
        const ALPHABET: &[&str] = &[
            "a", "Z", "-", "\"", "\\", "\n", "\0", "\u{1f}", "/", "é", "\u{2028}", "😀", "<",
        ];
        (0..self.below(20))
            .map(|_| ALPHABET[self.below(ALPHABET.len())])
            .collect()
    }
}
