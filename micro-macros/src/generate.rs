//! The code that a trait becomes.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{ItemTrait, TraitItem};

use crate::interface::Interface;

mod client;
mod definition;
mod descriptor;
mod server;

/// The trait, its server and its client.
pub(crate) fn all(interface: &Interface) -> TokenStream {
    let definition = definition::definition(interface);
    let server = server::server(interface);
    let client = client::client(interface);
    quote! {
        #definition
        #server
        #client
    }
}

/// The trait alone, as it was written; nothing when it is none.
pub(crate) fn bare(item: TokenStream) -> Option<TokenStream> {
    let mut item: ItemTrait = syn::parse2(item).ok()?;
    for item in &mut item.items {
        if let TraitItem::Fn(function) = item {
            function
                .attrs
                .retain(|attribute| !attribute.path().is_ident("endpoint"));
        }
    }
    let item = item.into_token_stream();
    Some(quote!(#[allow(async_fn_in_trait, unused, private_interfaces)] #item))
}
