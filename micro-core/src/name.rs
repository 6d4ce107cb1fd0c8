//! Which names are legal, on every backend alike.
//!
//! The rules are those of NATS subjects, since a name that works in memory must work there: tokens separated by
//! dots, no token empty, no white space or control characters, and the wildcards `*` and `>` only in patterns.

use crate::error::{Error, ErrorKind, Result};

/// The longest name accepted, in bytes.
pub const MAX_LEN: usize = 255;

/// Checks the name of a service, such as `greeter` or `go.micro.srv.greeter`.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`], saying what is wrong.
pub fn check_service(name: &str) -> Result<()> {
    plain("service name", name).map(drop)
}

/// Checks the name of an endpoint: `Type.Method`, with exactly one dot, as go-micro has it.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`], saying what is wrong.
pub fn check_endpoint(name: &str) -> Result<()> {
    match plain("endpoint name", name)? {
        1 => Ok(()),
        _ => Err(illegal(
            "endpoint name",
            name,
            "it has the form Type.Method, with exactly one dot",
        )),
    }
}

/// Checks a topic to publish on: no wildcards.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`], saying what is wrong.
pub fn check_topic(topic: &str) -> Result<()> {
    plain("topic", topic).map(drop)
}

/// Checks a topic to subscribe to: `*` stands for one token, `>` as the last token for all that follow.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`], saying what is wrong.
pub fn check_pattern(pattern: &str) -> Result<()> {
    tokens("topic", pattern)?;
    let last = pattern.split('.').count() - 1;
    for (index, token) in pattern.split('.').enumerate() {
        if token.contains(['*', '>']) && token.len() > 1 {
            return Err(illegal("topic", pattern, "a wildcard is a whole token"));
        }
        if token == ">" && index != last {
            return Err(illegal("topic", pattern, "`>` is the last token"));
        }
    }
    Ok(())
}

/// Whether `topic` falls under `pattern`.
///
/// ```
/// use micro_core::name::matches;
/// assert!(matches("orders.*", "orders.new"));
/// assert!(matches("orders.>", "orders.eu.new"));
/// assert!(!matches("orders.*", "orders.eu.new"));
/// assert!(!matches("orders.>", "orders"));
/// ```
pub fn matches(pattern: &str, topic: &str) -> bool {
    let mut topic = topic.split('.');
    for token in pattern.split('.') {
        match (token, topic.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (token, Some(other)) if token == other => {}
            _ => return false,
        }
    }
    topic.next().is_none()
}

/// Checks a name without wildcards; how many dots it has.
fn plain(what: &'static str, name: &str) -> Result<usize> {
    if let Some(dots) = common(name) {
        return Ok(dots);
    }
    tokens(what, name)?;
    match name.contains(['*', '>']) {
        true => Err(illegal(what, name, "it has no wildcards")),
        false => Ok(name.bytes().filter(|&byte| byte == b'.').count()),
    }
}

/// What nearly all names are made of, and all else.
const PLAIN: u8 = 0;
const DOT: u8 = 1;
const OTHER: u8 = 2;

/// By byte: [`PLAIN`], [`DOT`], or [`OTHER`].
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => PLAIN,
            b'.' => DOT,
            _ => OTHER,
        };
        byte += 1;
    }
    classes
};

/// How many dots a name has that is legal and has nothing but what nearly all names have, which is found out in one pass:
/// calls check theirs.
fn common(name: &str) -> Option<usize> {
    let (mut before, mut dots, mut wrong) = (DOT, 0, 0);
    for &byte in name.as_bytes() {
        let class = CLASSES[usize::from(byte)];
        // Two dots in a row are as wrong as one at either end. Without a branch, for names are short.
        wrong |= class & (before | OTHER);
        dots += usize::from(class);
        before = class;
    }
    (wrong == 0 && before != DOT && name.len() <= MAX_LEN).then_some(dots)
}

fn tokens(what: &'static str, name: &str) -> Result<()> {
    let reason = if name.is_empty() {
        "it is not empty"
    } else if name.len() > MAX_LEN {
        "it has at most 255 bytes"
    } else if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        "it has no white space"
    } else if name.split('.').any(str::is_empty) {
        "it neither starts nor ends with a dot, nor has two in a row"
    } else {
        return Ok(());
    };
    Err(illegal(what, name, reason))
}

fn illegal(what: &'static str, name: &str, reason: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("illegal {what}: {reason}"))
        .with_context("name", format!("{:?}", name.chars().take(64).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn illegal_names_are_refused() {
        let long = "x".repeat(MAX_LEN + 1);
        for name in [
            "",
            " ",
            "a b",
            ".a",
            "a.",
            "a..b",
            "a\tb",
            "a.*",
            ">",
            long.as_str(),
        ] {
            assert!(check_service(name).is_err(), "{name:?}");
            assert!(check_topic(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn legal_names_are_accepted() {
        let long = "x".repeat(MAX_LEN);
        for name in ["a", "a.b.c", "Go_Micro-2", "grüße", "a:b", "a/b.c", long.as_str()] {
            assert!(check_service(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn an_endpoint_has_exactly_one_dot() {
        assert!(check_endpoint("Greeter.Hello").is_ok());
        for name in ["Greeter", "a.Greeter.Hello", "Greeter.", "Greeter.*"] {
            assert!(check_endpoint(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_wildcard_is_a_whole_token_and_the_tail_comes_last() {
        for pattern in ["a", "a.*", "*.b", ">", "a.>"] {
            assert!(check_pattern(pattern).is_ok(), "{pattern:?}");
        }
        for pattern in ["", "a*", "a.>.b", ">a", "a b"] {
            assert!(check_pattern(pattern).is_err(), "{pattern:?}");
        }
    }
}
