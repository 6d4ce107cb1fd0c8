//! The headers that are one byte on the wire: names, and whole headers. `docs/wire.md` has the same tables.

/// A code that is no name: a literal name follows.
pub(super) const LITERAL: u8 = 0;

/// A table to be read in both directions. It becomes code, and no list to be searched, because every message asks it for
/// each of its headers.
macro_rules! table {
    ($entry:ty, $code_of:ident, $entry_of:ident: $($code:literal $meaning:tt)*) => {
        fn $code_of<'a>(entry: $entry) -> Option<u8> {
            match entry {
                $($meaning => Some($code),)*
                _ => None,
            }
        }

        fn $entry_of<'a>(code: u8) -> Option<$entry> {
            match code {
                $($code => Some($meaning),)*
                _ => None,
            }
        }
    };
}

// Later versions may add names at the end.
table! { &'a str, code_of_name, name_of:
    1 "Micro-Service"
    2 "Micro-Method"
    3 "Micro-Endpoint"
    4 "Micro-ID"
    5 "Micro-Id"
    6 "Micro-Error"
    7 "Micro-Stream"
    8 "Micro-Control"
    9 "Content-Type"
    10 "Accept"
    11 "Timeout"
    12 "Micro-Topic"
    13 "Micro-From-Service"
    14 "Micro-Namespace"
    15 "Authorization"
    16 "traceparent"
    17 "tracestate"
    18 "baggage"
    19 "X-Request-Id"
    20 "User-Agent"
    21 "Local"
    22 "Remote"
    23 "grpc-status"
    24 "grpc-message"
}

// Names whose value is a number, in decimal without leading zeros, and follows as one.
table! { &'a str, code_of_number, numbered:
    0x40 "Micro-ID"
    0x41 "Micro-Stream"
    0x42 "Timeout"
    0x43 "Micro-Id"
}

// Whole headers: the code of the name, and the value.
table! { (u8, &'a str), code_of_pair, pair_of:
    0x80 (9, "application/json")
    0x81 (9, "application/protobuf")
    0x82 (9, "application/grpc+json")
    0x83 (9, "application/grpc+proto")
    0x84 (9, "application/grpc")
    0x85 (9, "application/octet-stream")
    0x86 (9, "application/json-rpc")
    0x87 (9, "application/proto-rpc")
    0x88 (9, "text/plain")
    0x89 (10, "application/json")
    0x8a (10, "application/protobuf")
    0x8b (6, "EOS")
    0x8c (6, "")
    0x8d (8, "half-close")
    0x8e (8, "cancel")
    0x8f (7, "true")
}

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
    Some(match code {
        LITERAL => Code::Literal,
        0x80.. => {
            let (name, value) = pair_of(code)?;
            Code::Pair(name_of(name)?, value)
        }
        0x40.. => Code::Number(numbered(code)?),
        _ => Code::Name(name_of(code)?),
    })
}

/// The shortest form of a header.
pub(super) fn form(name: &str, value: &str) -> Form {
    let Some(code) = code_of_name(name) else {
        return Form::Literal;
    };
    if let Some(code) = code_of_number(name)
        && let Some(number) = decimal(value)
    {
        return Form::Number(code, number);
    }
    code_of_pair((code, value)).map_or(Form::Name(code), Form::Pair)
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
        let mut given = 0;
        for code in 1..=u8::MAX {
            let written = match meaning(code) {
                None => continue,
                Some(Code::Literal) => panic!("{code} is a literal, too"),
                Some(Code::Name(name)) => (form(name, "any"), Form::Name(code)),
                Some(Code::Number(name)) => (form(name, "17"), Form::Number(code, 17)),
                Some(Code::Pair(name, value)) => (form(name, value), Form::Pair(code)),
            };
            assert_eq!(written.0, written.1);
            given += 1;
        }
        assert_eq!(given, 24 + 4 + 16);
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
        for code in [25, 63, 0x44, 127, 0x90, 255] {
            assert_eq!(meaning(code), None, "{code}");
        }
        assert_eq!(meaning(LITERAL), Some(Code::Literal));
    }
}
