//! A type becomes an event.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::Parser;
use syn::{Ident, Item, Path};

use crate::arguments::{Codec, EventArguments};

/// The type as it was written, and what makes it an event.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut said = EventArguments::default();
    syn::meta::parser(|meta| said.take(&meta)).parse2(arguments)?;
    let Some(topic) = said.topic else {
        let message = "an event has a topic: `#[micro::event(topic = \"orders.placed\")]`";
        return Err(syn::Error::new(Span::call_site(), message));
    };
    let item: Item = syn::parse2(item)?;
    let (name, generics) = match &item {
        Item::Struct(item) => (&item.ident, &item.generics),
        Item::Enum(item) => (&item.ident, &item.generics),
        other => return Err(syn::Error::new_spanned(other, "an event is a struct or an enum")),
    };
    if !generics.params.is_empty() {
        let message = "an event is one type: it has no parameters";
        return Err(syn::Error::new_spanned(generics, message));
    }
    let krate = said.krate.unwrap_or_else(|| syn::parse_quote!(::micro));
    let payload = payload(&krate, name, said.codec.unwrap_or(Codec::Json));
    Ok(quote! {
        #item
        #payload
        #[automatically_derived]
        impl #krate::TypedEvent for #name {
            const TOPIC: &'static str = #topic;
        }
    })
}

/// How it is written down; nothing for a type that says so itself.
fn payload(krate: &Path, name: &Ident, codec: Codec) -> Option<TokenStream> {
    if codec == Codec::Payload {
        return None;
    }
    let how = Ident::new(codec.marshaller(), name.span());
    // Said of the type itself, so that a type which cannot travel is told where it stands.
    let marshaller = quote!(<#krate::codec::Marshaller<#name>>::#how());
    Some(quote! {
        #[automatically_derived]
        impl #krate::Payload for #name {
            const CODEC: #krate::Codec = #marshaller.codec();

            fn encode(&self, codec: #krate::Codec) -> #krate::Result<#krate::Bytes> {
                #marshaller.encode(self, codec)
            }

            fn decode(codec: #krate::Codec, body: #krate::Bytes) -> #krate::Result<Self> {
                #marshaller.decode(codec, body)
            }

            fn shape() -> ::core::option::Option<#krate::registry::Value> {
                #marshaller.shape()
            }
        }
    })
}
