//! One method of a trait, checked.

use std::slice;
use std::time::Duration;

use proc_macro2::Span;
use quote::format_ident;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, ExprLit, FnArg, Ident, Lit, Meta, Pat, Signature, TraitItemFn};

use crate::arguments::{Codec, MethodArguments};
use crate::names;
use crate::signature::{self, Sides};

/// What holds for the methods that say nothing else.
pub(crate) struct Defaults {
    pub(crate) prefix: String,
    pub(crate) codec: Codec,
    pub(crate) timeout: Option<Duration>,
}

/// A method of an interface.
pub(crate) struct Method {
    /// Those of the author, without `#[endpoint(…)]`.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) signature: Signature,
    pub(crate) ident: Ident,
    pub(crate) sides: Sides,
    /// `Type.Method`.
    pub(crate) endpoint: String,
    /// Where that was said.
    pub(crate) named_at: Span,
    pub(crate) codec: Codec,
    pub(crate) timeout: Option<Duration>,
    pub(crate) idempotent: bool,
    pub(crate) request_shape: Option<String>,
    pub(crate) response_shape: Option<String>,
    pub(crate) request_message: Option<String>,
    pub(crate) response_message: Option<String>,
}

/// What the generated client has beside the methods.
const TAKEN: [&str; 3] = ["new", "with_service", "with_version"];

/// The sections that documentation has by custom: a `#` alone may also begin a hidden line of an example.
const SECTIONS: [&str; 5] = [
    "# Errors",
    "# Panics",
    "# Cancel safety",
    "# Example",
    "# Examples",
];

impl Method {
    pub(crate) fn read(function: TraitItemFn, defaults: &Defaults) -> syn::Result<Self> {
        let TraitItemFn {
            mut attrs,
            sig,
            default,
            ..
        } = function;
        let said = MethodArguments::take_from(&mut attrs)?;
        let sides = signature::read(&sig)?;
        if let Some(body) = default {
            let error = "a method of a service has no body here: it is what an `impl` answers";
            return Err(syn::Error::new(body.brace_token.span.open(), error));
        }
        let ident = sig.ident.clone();
        let plain = ident.unraw().to_string();
        if TAKEN.contains(&plain.as_str()) {
            let message = format_args!(
                "the client has a `{plain}` of its own; name the method otherwise, and its endpoint by `#[endpoint(name = \"…\")]`"
            );
            return Err(syn::Error::new(ident.span(), message));
        }
        let (name, named_at) = said.name.unwrap_or_else(|| (names::pascal(&plain), ident.span()));
        Ok(Method {
            attributes: attrs,
            signature: sig,
            sides,
            endpoint: format!("{}.{name}", defaults.prefix),
            named_at,
            codec: said.codec.unwrap_or(defaults.codec),
            timeout: said.timeout.or(defaults.timeout),
            idempotent: said.idempotent,
            request_shape: said.request_shape,
            response_shape: said.response_shape,
            request_message: said.request_message,
            response_message: said.response_message,
            ident,
        })
    }

    /// The constant that describes it.
    pub(crate) fn constant(&self) -> Ident {
        let name = self.ident.unraw().to_string().to_uppercase();
        format_ident!("METHOD_{name}", span = self.ident.span())
    }

    /// What its author calls the request; `request` where it has no name.
    pub(crate) fn argument(&self) -> Ident {
        let last = self.signature.inputs.last();
        let named = last.and_then(|input| match input {
            FnArg::Typed(typed) => match &*typed.pat {
                Pat::Ident(pattern) => Some(&pattern.ident),
                _ => None,
            },
            FnArg::Receiver(_) => None,
        });
        let plain = named.filter(|name| !name.to_string().starts_with('_'));
        plain.cloned().unwrap_or_else(|| format_ident!("request"))
    }

    /// The first paragraph of the author's documentation, on one line.
    pub(crate) fn summary(&self) -> String {
        let lines = documentation(&self.attributes);
        let lines = lines.iter().skip_while(|line| line.is_empty());
        lines
            .take_while(|line| !line.is_empty())
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Whether the author wrote a section of that name.
    pub(crate) fn has_section(&self, heading: &str) -> bool {
        documentation(&self.attributes).iter().any(|line| line == heading)
    }

    /// Behind how many of these attributes the author's section of errors ends, if it begins with one of them.
    pub(crate) fn end_of_errors(attributes: &[&Attribute]) -> Option<usize> {
        let heading = |attribute: &Attribute| {
            let lines = documentation(slice::from_ref(attribute));
            lines.into_iter().next().filter(|line| line.starts_with("# "))
        };
        let mut headings = attributes.iter().map(|attribute| heading(attribute));
        let begin = headings.position(|heading| heading.as_deref() == Some("# Errors"))?;
        let next = headings.position(|heading| heading.is_some_and(|line| SECTIONS.contains(&line.as_str())));
        Some(next.map_or(attributes.len(), |lines| begin + 1 + lines))
    }

    /// Whether the author wrote any documentation, be it in another file.
    pub(crate) fn is_documented(&self) -> bool {
        self.attributes
            .iter()
            .any(|attribute| attribute.path().is_ident("doc"))
    }

    /// Attributes that say whether it is there at all.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("cfg"))
    }

    /// Attributes that callers should see, too; behind them those that begin with the first section of the documentation.
    pub(crate) fn shared(&self) -> (Vec<&Attribute>, Vec<&Attribute>) {
        let passed = ["cfg", "deprecated", "allow", "doc"];
        let is_passed = |attribute: &&Attribute| passed.iter().any(|name| attribute.path().is_ident(name));
        let begins_section = |attribute: &Attribute| {
            let lines = documentation(slice::from_ref(attribute));
            lines
                .first()
                .is_some_and(|line| SECTIONS.contains(&line.as_str()))
        };
        let first = self.attributes.iter().position(begins_section);
        let (above, below) = self.attributes.split_at(first.unwrap_or(self.attributes.len()));
        (
            above.iter().filter(is_passed).collect(),
            below.iter().filter(is_passed).collect(),
        )
    }
}

/// The text of documentation comments, line by line.
fn documentation(attributes: &[Attribute]) -> Vec<String> {
    let text = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    };
    let texts = attributes.iter().filter_map(text);
    let lines = texts.flat_map(|text| text.split('\n').map(str::to_owned).collect::<Vec<_>>());
    lines.map(|line| line.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn a_section_of_errors_ends_where_the_next_begins() {
        let attributes: Vec<Attribute> = vec![
            parse_quote!(#[doc = " # Panics"]),
            parse_quote!(#[doc = " # Errors"]),
            parse_quote!(#[doc = " When there is none."]),
            parse_quote!(#[deprecated]),
            parse_quote!(#[doc = " # Examples"]),
            parse_quote!(#[doc = " None."]),
        ];
        let attributes: Vec<&Attribute> = attributes.iter().collect();
        assert_eq!(Method::end_of_errors(&attributes), Some(4));
        assert_eq!(Method::end_of_errors(&attributes[..3]), Some(3));
        assert_eq!(Method::end_of_errors(&attributes[4..]), None);
    }
}
