//! The trait as its author wrote it, checked.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Ident, Item, ItemTrait, Path, Token, TraitItem, TypeParamBound, Visibility};

use crate::arguments::{Codec, TraitArguments};
use crate::method::{Defaults, Method};
use crate::names;

/// An interface.
pub(crate) struct Interface {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) ident: Ident,
    pub(crate) supertraits: Punctuated<TypeParamBound, Token![+]>,
    pub(crate) methods: Vec<Method>,
    /// What clients call when nobody says otherwise.
    pub(crate) service: String,
    /// The crate `micro`, as it is known there.
    pub(crate) krate: TokenStream,
    /// What declares the messages of a .proto file.
    pub(crate) descriptors: Option<Path>,
}

pub(crate) fn parse_trait(tokens: TokenStream) -> syn::Result<ItemTrait> {
    match syn::parse2(tokens)? {
        Item::Trait(item) => Ok(item),
        other => {
            let head: TokenStream = other.to_token_stream().into_iter().take(2).collect();
            let error = "`#[micro::service]` goes on a trait, whose methods are the endpoints";
            Err(syn::Error::new_spanned(head, error))
        }
    }
}

impl Interface {
    /// Reports all mistakes, not the first alone.
    pub(crate) fn read(item: ItemTrait, said: TraitArguments) -> syn::Result<Self> {
        let name = item.ident.to_string();
        let defaults = Defaults {
            prefix: said.prefix.unwrap_or_else(|| name.clone()),
            codec: said.codec.unwrap_or(Codec::Json),
            timeout: said.timeout,
        };
        let mut mistakes = Mistakes::default();
        mistakes.note(check_head(&item));
        let mut methods = Vec::new();
        for item in item.items {
            methods.extend(mistakes.note(read_item(item, &defaults)));
        }
        mistakes.note(check_names(&methods));
        mistakes.finish()?;
        Ok(Interface {
            attributes: item.attrs,
            visibility: item.vis,
            ident: item.ident,
            supertraits: item.supertraits,
            methods,
            service: said.name.unwrap_or_else(|| names::kebab(&name)),
            krate: path_of(said.krate),
            descriptors: said.descriptors,
        })
    }
}

fn path_of(krate: Option<Path>) -> TokenStream {
    match krate {
        Some(path) => path.into_token_stream(),
        None => quote!(::micro),
    }
}

/// Mistakes, all of which are reported.
#[derive(Default)]
pub(crate) struct Mistakes(Option<syn::Error>);

impl Mistakes {
    pub(crate) fn note<T>(&mut self, outcome: syn::Result<T>) -> Option<T> {
        match (outcome, &mut self.0) {
            (Ok(value), _) => return Some(value),
            (Err(error), Some(known)) => known.combine(error),
            (Err(error), none) => *none = Some(error),
        }
        None
    }

    pub(crate) fn finish(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

fn check_head(item: &ItemTrait) -> syn::Result<()> {
    let generics = &item.generics;
    if let Some(parameter) = generics.params.first() {
        let error = "a service has no parameters: its endpoints have names, and a name has no types";
        return Err(syn::Error::new(parameter.span(), error));
    }
    if let Some(clause) = &generics.where_clause {
        return Err(syn::Error::new_spanned(clause, "a service has no `where`"));
    }
    if let Some(token) = &item.unsafety {
        return Err(syn::Error::new_spanned(token, "a service is not `unsafe`"));
    }
    Ok(())
}

fn read_item(item: TraitItem, defaults: &Defaults) -> syn::Result<Method> {
    match item {
        TraitItem::Fn(function) => Method::read(function, defaults),
        other => Err(syn::Error::new_spanned(
            other,
            "a service has methods, and nothing else",
        )),
    }
}

fn check_names(methods: &[Method]) -> syn::Result<()> {
    let mut mistakes = Mistakes::default();
    for (index, method) in methods.iter().enumerate() {
        let earlier = methods[..index].iter();
        // The same method for another configuration.
        let mut earlier = earlier.filter(|one| one.ident != method.ident);
        if earlier.any(|one| one.endpoint == method.endpoint) {
            let message = format_args!(
                "two methods have the endpoint `{}`; give one another by `#[endpoint(name = \"…\")]`",
                method.endpoint
            );
            mistakes.note::<()>(Err(syn::Error::new(method.named_at, message)));
        }
    }
    mistakes.finish()
}
