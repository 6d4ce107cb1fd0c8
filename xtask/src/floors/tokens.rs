//! Small questions about tokens.

use proc_macro2::{Delimiter, TokenTree};

pub(super) fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

pub(super) fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

pub(super) fn is_brace(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

/// Whether `::` stands first.
pub(super) fn is_separator(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [one, two, ..] if is_punct(one, ':') && is_punct(two, ':'))
}

/// The name of a `#[cfg(test)] mod` that stands first, and how many tokens the whole of it takes.
pub(super) fn test_module(tokens: &[TokenTree]) -> Option<(&TokenTree, usize)> {
    let [hash, TokenTree::Group(attribute), item @ ..] = tokens else {
        return None;
    };
    let text: String = attribute.stream().to_string().split_whitespace().collect();
    if !is_punct(hash, '#') || text != "cfg(test)" {
        return None;
    }
    let end = item
        .iter()
        .position(|token| is_punct(token, ';') || is_brace(token))?;
    let keyword = item[..end].iter().position(|token| is_word(token, "mod"))?;
    Some((item.get(keyword + 1)?, end + 3))
}
