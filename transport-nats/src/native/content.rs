//! What is inside a message's frame: headers, and the body, which is all the rest.

use bytes::Bytes;
use micro_core::Message;
use micro_core::message::{Headers, Text};

use super::known::{self, Code, Form};
use super::varint;

/// How many headers a message may have.
pub(crate) const MAX_HEADERS: usize = 1024;

/// How many bytes their names and values may have together.
pub(crate) const MAX_HEADER_BYTES: usize = 1 << 20;

/// How many headers are expected, at most, before they are seen.
const TYPICAL_HEADERS: usize = 12;

/// Writes what comes before the body.
pub(crate) fn put_head(out: &mut Vec<u8>, headers: &Headers) {
    varint::put(out, headers.len() as u64);
    for (name, value) in headers.iter() {
        put_header(out, name, value);
    }
}

/// Reads a content that is a part of `whole`; the body is a slice of that. `None` when it is none.
pub(crate) fn read(whole: &Bytes, content: &[u8]) -> Option<Message> {
    let mut rest = content;
    let count = varint::take(&mut rest)?;
    let count = usize::try_from(count)
        .ok()
        .filter(|count| *count <= MAX_HEADERS)?;
    let mut headers = Headers::with_capacity(count.min(TYPICAL_HEADERS));
    let mut room = MAX_HEADER_BYTES;
    for _ in 0..count {
        let (name, value) = take_header(&mut rest)?;
        room = room.checked_sub(name.len() + value.len())?;
        headers.insert(name, value);
    }
    Some(Message {
        headers,
        body: whole.slice_ref(rest),
    })
}

fn put_header(out: &mut Vec<u8>, name: &str, value: &str) {
    match known::form(name, value) {
        Form::Literal => {
            out.push(known::LITERAL);
            put_text(out, name);
            put_text(out, value);
        }
        Form::Name(code) => {
            out.push(code);
            put_text(out, value);
        }
        Form::Number(code, number) => {
            out.push(code);
            varint::put(out, number);
        }
        Form::Pair(code) => out.push(code),
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    varint::put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn take_header(rest: &mut &[u8]) -> Option<(Text, Text)> {
    let (&code, behind) = rest.split_first()?;
    *rest = behind;
    Some(match known::meaning(code)? {
        Code::Literal => (take_text(rest)?, take_text(rest)?),
        Code::Name(name) => (name.into(), take_text(rest)?),
        Code::Number(name) => (name.into(), varint::take(rest)?.into()),
        Code::Pair(name, value) => (name.into(), value.into()),
    })
}

fn take_text(rest: &mut &[u8]) -> Option<Text> {
    let text = std::str::from_utf8(varint::take_slice(rest)?).ok()?;
    Some(Text::new(text))
}

/// All of the content.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn of(message: &Message) -> Vec<u8> {
    let mut content = Vec::new();
    put_head(&mut content, &message.headers);
    content.extend_from_slice(&message.body);
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &Bytes) -> Option<Message> {
        super::read(content, content)
    }

    fn messages() -> [Message; 4] {
        let call = Message::new("body")
            .with_header("Micro-Service", "greeter")
            .with_header("Micro-Endpoint", "Greeter.Hello")
            .with_header("Content-Type", "application/json")
            .with_header("Timeout", "29999999999")
            .with_header("Micro-ID", "300");
        let delicate = Message::new(vec![0, 255, 1])
            .with_header("", "")
            .with_header("Ünï", "wörld\r\n\0")
            .with_header("Micro-ID", "007")
            .with_header("Content-Type", "other");
        let many = (0..30).fold(Message::default(), |message, index| {
            message.with_header(format!("name-{index}"), "x".repeat(index * 5))
        });
        [Message::default(), call, delicate, many]
    }

    #[test]
    fn a_message_is_read_as_it_was_written() {
        for message in messages() {
            let content = of(&message);
            assert_eq!(read(&Bytes::from(content)), Some(message));
        }
    }

    #[test]
    fn well_known_headers_are_a_byte() {
        let message = Message::default()
            .with_header("Content-Type", "application/json")
            .with_header("Micro-ID", "5");
        let content = of(&message);
        assert_eq!(content, [2, 0x80, 0x40, 5]);
    }

    #[test]
    fn of_a_header_that_came_twice_the_last_value_counts() {
        let known = |value: &str| [&[4, 1], value.as_bytes()].concat();
        let literal = |value: &str| [&[0, 8], "Micro-ID".as_bytes(), &[1], value.as_bytes()].concat();
        for (first, second) in [
            (known("a"), known("b")),
            (known("a"), literal("b")),
            (literal("a"), known("b")),
            (literal("a"), literal("b")),
            (known("a"), vec![0x40, 7]),
        ] {
            let last = if second[0] == 0x40 { "7" } else { "b" };
            let content = [vec![2], first, second].concat();
            let message = read(&content.into()).unwrap();
            assert_eq!(
                (message.headers.len(), message.headers.get("Micro-ID")),
                (1, Some(last))
            );
        }
    }

    #[test]
    fn the_body_is_not_copied() {
        let content = Bytes::from(of(&Message::new("body").with_header("A", "b")));
        let message = read(&content).unwrap();
        let end = content.as_ptr_range().end;
        assert_eq!(message.body.as_ptr_range().end, end);
    }

    #[test]
    fn a_truncated_head_is_refused_and_never_panics() {
        for message in messages() {
            let mut content = Vec::new();
            put_head(&mut content, &message.headers);
            for end in 0..content.len() {
                assert_eq!(read(&Bytes::copy_from_slice(&content[..end])), None);
            }
        }
    }

    #[test]
    fn headers_of_too_many_bytes_are_refused() {
        let half = "x".repeat(MAX_HEADER_BYTES / 2 - 1);
        let mut message = Message::default()
            .with_header("a", half.clone())
            .with_header("b", half);
        for is_read in [true, false] {
            assert_eq!(read(&of(&message).into()).is_some(), is_read);
            message.headers.insert("c", "");
        }
    }

    #[test]
    fn too_many_headers_and_texts_that_are_none_are_refused() {
        let mut many = Vec::new();
        varint::put(&mut many, MAX_HEADERS as u64 + 1);
        for content in [&many[..], &[1, 0, 1, 0xff, 0], &[1, 62], &[1, 0x81 + 15]] {
            assert_eq!(read(&Bytes::copy_from_slice(content)), None, "{content:?}");
        }
    }
}
