#![doc = include_str!("lib.md")]

mod arguments;
mod event;
mod generate;
mod interface;
mod method;
mod names;
mod signature;

use proc_macro::TokenStream;
use syn::parse::Parser;

use arguments::TraitArguments;
use interface::Interface;

#[doc = include_str!("service.md")]
#[proc_macro_attribute]
pub fn service(arguments: TokenStream, item: TokenStream) -> TokenStream {
    match expand(arguments, item.clone()) {
        Ok(tokens) => tokens.into(),
        Err(error) => {
            // The trait itself, so that what uses it adds no errors of its own.
            let mut tokens = TokenStream::from(error.into_compile_error());
            tokens.extend(generate::bare(item.into()).map(TokenStream::from));
            tokens
        }
    }
}

#[doc = include_str!("event.md")]
#[proc_macro_attribute]
pub fn event(arguments: TokenStream, item: TokenStream) -> TokenStream {
    match event::expand(arguments.into(), item.clone().into()) {
        Ok(tokens) => tokens.into(),
        Err(error) => {
            // The type itself, so that what uses it adds no errors of its own.
            let mut tokens = TokenStream::from(error.into_compile_error());
            tokens.extend(item);
            tokens
        }
    }
}

fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<proc_macro2::TokenStream> {
    let mut said = TraitArguments::default();
    let parser = syn::meta::parser(|meta| said.take(&meta));
    let mistake = parser.parse(arguments).err();
    let item = interface::parse_trait(item.into())?;
    let interface = Interface::read(item, said);
    match (mistake, interface) {
        (None, interface) => Ok(generate::all(&interface?)),
        (Some(mistake), Ok(_)) => Err(mistake),
        (Some(mut mistake), Err(more)) => {
            mistake.combine(more);
            Err(mistake)
        }
    }
}
