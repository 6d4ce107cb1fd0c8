//! The text of a header. What is short costs no allocation anyway, and so does the one long text that is common.

use micro_core::Text;
use micro_core::codec::OCTET_STREAM;

/// A header's name or value.
pub(super) fn header(text: &str) -> Text {
    match text {
        OCTET_STREAM => Text::from_static(OCTET_STREAM),
        _ => Text::new(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_content_type_of_ours_is_not_copied() {
        let (one, other) = (OCTET_STREAM.to_owned(), OCTET_STREAM.to_owned());
        let (one, other) = (header(&one), header(&other));
        assert_eq!(one, OCTET_STREAM);
        assert!(std::ptr::eq(one.as_str(), other.as_str()));
    }

    #[test]
    fn any_other_text_is_kept_as_it_is() {
        for text in [
            "",
            "Micro-Id",
            "micro-id",
            "application/JSON",
            "no/such;type of content",
        ] {
            assert_eq!(header(text), text);
        }
    }
}
