//! The trait, whose futures can be moved between threads.

use proc_macro2::TokenStream;
use quote::quote;

use crate::interface::Interface;
use crate::method::Method;

pub(super) fn definition(interface: &Interface) -> TokenStream {
    let Interface {
        attributes,
        visibility,
        ident,
        supertraits,
        ..
    } = interface;
    let supertraits = supertraits.iter();
    let methods = interface.methods.iter().map(method);
    quote! {
        #(#attributes)*
        #visibility trait #ident: #(#supertraits +)* ::core::marker::Send + ::core::marker::Sync + 'static {
            #(#methods)*
        }
    }
}

/// An `impl` may still say `async fn`.
fn method(method: &Method) -> TokenStream {
    let Method {
        attributes,
        signature,
        ident,
        ..
    } = method;
    let (inputs, output) = (&signature.inputs, answer(method));
    quote! {
        #(#attributes)*
        fn #ident(#inputs) -> impl ::core::future::Future<Output = #output> + ::core::marker::Send;
    }
}

/// What the method answers, as its author wrote it.
pub(super) fn answer(method: &Method) -> TokenStream {
    match &method.signature.output {
        syn::ReturnType::Type(_, answer) => quote!(#answer),
        syn::ReturnType::Default => quote!(()),
    }
}
