//! Header names and values that nearly every message carries: reading them costs no allocation.

use std::borrow::Cow;

use micro_core::Text;

/// A header's name, borrowed for good when it is a known one.
pub(super) fn name(text: &str) -> Text {
    let known: &[&'static str] = match text.len() {
        5 => &["Local"],
        6 => &["Accept", "Remote"],
        7 => &["Timeout"],
        8 => &["Micro-ID", "Micro-Id"],
        10 => &["Connection", "X-Micro-ID", "X-Micro-Id"],
        11 => &["Micro-Error", "Micro-Topic"],
        12 => &["Content-Type", "Micro-Method", "Micro-Socket", "Micro-Stream"],
        13 => &["Micro-Service", "X-Micro-Error", "X-Micro-Topic"],
        14 => &["Micro-Endpoint", "X-Micro-Method", "X-Micro-Stream"],
        15 => &["X-Micro-Service"],
        16 => &["X-Micro-Endpoint"],
        _ => &[],
    };
    pick(known, text)
}

/// A header's value, borrowed for good when it is a known one.
pub(super) fn value(text: &str) -> Text {
    let known: &[&'static str] = match text.len() {
        0 => &[""],
        3 => &["EOS"],
        4 => &["more", "open"],
        16 => &["application/json"],
        20 => &["application/protobuf"],
        24 => &["application/octet-stream"],
        _ => &[],
    };
    pick(known, text)
}

fn pick(known: &[&'static str], text: &str) -> Text {
    match known.iter().find(|known| **known == text) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_call_carries_is_not_allocated() {
        for text in [
            "Accept",
            "Connection",
            "Content-Type",
            "Micro-Endpoint",
            "Micro-Error",
            "Micro-ID",
            "Micro-Id",
            "Micro-Method",
            "Micro-Service",
            "Micro-Stream",
            "Micro-Topic",
            "Timeout",
            "X-Micro-Endpoint",
            "X-Micro-Error",
            "X-Micro-ID",
            "X-Micro-Method",
            "X-Micro-Service",
        ] {
            assert!(
                matches!(name(text), Cow::Borrowed(known) if known == text),
                "{text}"
            );
        }
        for text in ["", "EOS", "application/json", "application/protobuf"] {
            assert!(
                matches!(value(text), Cow::Borrowed(known) if known == text),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_known_is_kept_as_it_is() {
        assert_eq!(name("micro-id"), "micro-id");
        assert_eq!(value("application/JSON"), "application/JSON");
    }
}
