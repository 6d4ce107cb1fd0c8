//! The headers that are one byte on the wire: names, and whole headers. `docs/wire.md` has the same table.

use std::ops::RangeInclusive;

/// A code that is no name: a literal name follows.
pub(super) const LITERAL: u8 = 0;

/// The names, from code 1 on. Later versions may add names at the end.
const NAMES: [&str; 24] = [
    "Micro-Service",
    "Micro-Method",
    "Micro-Endpoint",
    "Micro-ID",
    "Micro-Id",
    "Micro-Error",
    "Micro-Stream",
    "Micro-Control",
    "Content-Type",
    "Accept",
    "Timeout",
    "Micro-Topic",
    "Micro-From-Service",
    "Micro-Namespace",
    "Authorization",
    "traceparent",
    "tracestate",
    "baggage",
    "X-Request-Id",
    "User-Agent",
    "Local",
    "Remote",
    "grpc-status",
    "grpc-message",
];

/// From this code on, the value is a number, in decimal without leading zeros, and follows as one.
const NUMBERS_FROM: u8 = 0x40;

const NUMBERS: [&str; 4] = ["Micro-ID", "Micro-Stream", "Timeout", "Micro-Id"];

/// From this code on, the code is the whole header.
const PAIRS_FROM: u8 = 0x80;

/// The codes of the names that are in pairs.
const PAIRED: RangeInclusive<u8> = 6..=10;

const PAIRS: [(&str, &str); 16] = [
    ("Content-Type", "application/json"),
    ("Content-Type", "application/protobuf"),
    ("Content-Type", "application/grpc+json"),
    ("Content-Type", "application/grpc+proto"),
    ("Content-Type", "application/grpc"),
    ("Content-Type", "application/octet-stream"),
    ("Content-Type", "application/json-rpc"),
    ("Content-Type", "application/proto-rpc"),
    ("Content-Type", "text/plain"),
    ("Accept", "application/json"),
    ("Accept", "application/protobuf"),
    ("Micro-Error", "EOS"),
    ("Micro-Error", ""),
    ("Micro-Control", "half-close"),
    ("Micro-Control", "cancel"),
    ("Micro-Stream", "true"),
];

/// What a code stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// A name and a value follow.
    Literal,
    /// A value follows.
    Name(&'static str),
    /// A number follows, which is the value.
    Number(&'static str),
    /// Nothing follows.
    Pair(&'static str, &'static str),
}

/// How a header is written: a code, and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Literal,
    Name(u8),
    Number(u8, u64),
    Pair(u8),
}

/// What a code stands for; `None` for those that are not given.
pub(super) fn meaning(code: u8) -> Option<Code> {
    if code >= PAIRS_FROM {
        let (name, value) = PAIRS.get(usize::from(code - PAIRS_FROM))?;
        return Some(Code::Pair(name, value));
    }
    if code >= NUMBERS_FROM {
        return Some(Code::Number(NUMBERS.get(usize::from(code - NUMBERS_FROM))?));
    }
    match code.checked_sub(1) {
        None => Some(Code::Literal),
        Some(index) => Some(Code::Name(NAMES.get(usize::from(index))?)),
    }
}

/// The shortest form of a header.
pub(super) fn form(name: &str, value: &str) -> Form {
    let Some(index) = code_of(&NAMES, name) else {
        return Form::Literal;
    };
    if let Some(number) = decimal(value)
        && let Some(code) = code_of(&NUMBERS, name)
    {
        return Form::Number(NUMBERS_FROM + code, number);
    }
    let code = index + 1;
    match PAIRED.contains(&code).then(|| pair_of(name, value)).flatten() {
        Some(index) => Form::Pair(PAIRS_FROM + index),
        None => Form::Name(code),
    }
}

fn pair_of(name: &str, value: &str) -> Option<u8> {
    let index = PAIRS.iter().position(|pair| *pair == (name, value))?;
    u8::try_from(index).ok()
}

fn code_of(names: &[&str], name: &str) -> Option<u8> {
    let index = names.iter().position(|known| *known == name)?;
    u8::try_from(index).ok()
}

/// A number that is written back exactly as it was.
fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || text.starts_with(|first: char| first.is_ascii_digit() && first != '0');
    match canonical {
        true => text.parse().ok(),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_means_what_it_is_written_for() {
        for (index, name) in NAMES.iter().enumerate() {
            let code = u8::try_from(index + 1).unwrap();
            assert_eq!(meaning(code), Some(Code::Name(name)));
            assert_eq!(form(name, "any"), Form::Name(code));
        }
        for (index, name) in NUMBERS.iter().enumerate() {
            let code = NUMBERS_FROM + u8::try_from(index).unwrap();
            assert_eq!(meaning(code), Some(Code::Number(name)));
            assert_eq!(form(name, "17"), Form::Number(code, 17));
        }
        for (index, (name, value)) in PAIRS.iter().enumerate() {
            let code = PAIRS_FROM + u8::try_from(index).unwrap();
            assert_eq!(meaning(code), Some(Code::Pair(name, value)));
            assert_eq!(form(name, value), Form::Pair(code));
        }
    }

    #[test]
    fn a_value_that_is_no_canonical_number_stays_text() {
        for value in ["", "01", "+1", "-1", "1.0", "18446744073709551616", "x"] {
            assert!(matches!(form("Micro-ID", value), Form::Name(_)), "{value:?}");
        }
        for value in ["0", "9", "18446744073709551615"] {
            assert!(matches!(form("Micro-ID", value), Form::Number(..)), "{value:?}");
        }
    }

    #[test]
    fn codes_that_are_not_given_mean_nothing() {
        for code in [63, NUMBERS_FROM + 4, 127, PAIRS_FROM + 16, 255] {
            assert_eq!(meaning(code), None, "{code}");
        }
        assert_eq!(meaning(LITERAL), Some(Code::Literal));
    }
}
