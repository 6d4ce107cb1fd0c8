//! What calls.

use proc_macro2::TokenStream;
use quote::quote;

use super::definition::answer;
use super::descriptor::{self, Kind};
use super::server::client as name;
use crate::interface::Interface;
use crate::method::Method;

pub(super) fn client(interface: &Interface) -> TokenStream {
    let Interface {
        visibility,
        ident,
        krate,
        methods,
        service,
        ..
    } = interface;
    let client = name(interface);
    let documentation = documentation(interface);
    let descriptors = methods
        .iter()
        .map(|method| descriptor::descriptor(interface, method));
    let calls = methods.iter().map(|method| call(interface, method));
    let implementation = implementation(interface);
    let new = format!("Calls the service `{service}`.");
    let fixed = format!("The name of the service that is called unless another is given: `{service}`.");
    let made_of = format!("[`{ident}`]");
    let with_version = format!("Calls nodes of this version of {made_of}'s service only, and not of any.");
    quote! {
        #(#[doc = #documentation])*
        #[derive(Clone, Debug)]
        #[allow(dead_code)]
        #visibility struct #client {
            stub: #krate::client::Stub,
        }

        #[allow(dead_code)]
        impl #client {
            #[doc = #fixed]
            pub const SERVICE: &'static str = #service;

            #(#descriptors)*

            #[doc = #new]
            pub fn new(client: &#krate::Client) -> Self {
                Self { stub: #krate::client::Stub::new(client, Self::SERVICE) }
            }

            /// Calls the service of another name, which serves the same interface.
            #[must_use]
            pub fn with_service(mut self, service: impl ::core::convert::Into<#krate::Text>) -> Self {
                self.stub = self.stub.with_service(service);
                self
            }

            #[doc = #with_version]
            #[must_use]
            pub fn with_version(mut self, version: impl ::core::convert::Into<#krate::Text>) -> Self {
                self.stub = self.stub.with_version(version);
                self
            }

            #(#calls)*
        }

        #implementation
    }
}

fn documentation(interface: &Interface) -> Vec<String> {
    let Interface { ident, service, .. } = interface;
    let call = link(interface, "client::Call");
    [
        format!("Calls services whose interface is [`{ident}`]."),
        String::new(),
        format!(
            "Each method returns a [`Call`]({call}), made when awaited, to the service `{service}` unless"
        ),
        "another is given. Cloning is cheap.".to_owned(),
    ]
    .into()
}

fn call(interface: &Interface, method: &Method) -> TokenStream {
    let krate = &interface.krate;
    let (ident, constant) = (&method.ident, method.constant());
    let kind = Kind::of(method);
    let (how, kind_ident) = (kind.call(), kind.ident());
    let (argument, request) = (method.argument(), request(interface, method));
    let response = &method.sides.response.message;
    let (shared, sections_of_author) = method.shared();
    let end_of_errors = Method::end_of_errors(&sections_of_author).unwrap_or(0);
    let (errors, others) = sections_of_author.split_at(end_of_errors);
    let besides = (!errors.is_empty()).then(|| format!("\nBesides, {}.", any_call_ends_with(interface)));
    let besides = besides.iter();
    let (remarks, sections) = (remarks(method, kind), sections(interface, method));
    quote! {
        #(#shared)*
        #(#[doc = #remarks])*
        #(#errors)*
        #(#[doc = #besides])*
        #(#others)*
        #(#[doc = #sections])*
        pub fn #ident(&self, #argument: #request) -> #krate::client::Call<#krate::client::#kind_ident, #response> {
            self.stub.#how(&Self::#constant, #argument)
        }
    }
}

fn request(interface: &Interface, method: &Method) -> TokenStream {
    let (krate, message) = (&interface.krate, &method.sides.request.message);
    match method.sides.request.is_stream {
        true => quote!(#krate::Streaming<#message>),
        false => quote!(#message),
    }
}

/// What is said of a call below the author's prose, and above the author's sections.
fn remarks(method: &Method, kind: Kind) -> Vec<String> {
    let mut text = Vec::new();
    if !method.is_documented() {
        text.push(format!("Calls `{}`: {}.", method.endpoint, kind.says));
    }
    if let Some(timeout) = method.timeout {
        text.push(format!(
            "\nIt may take {timeout:?}, unless the call has a deadline."
        ));
    }
    if method.idempotent {
        text.push(
            "\nIt is made again when its node is lost, also where it may have run: to run it twice does no harm.".to_owned(),
        );
    }
    text
}

/// The sections that every call has, where the author wrote none of that name.
fn sections(interface: &Interface, method: &Method) -> Vec<String> {
    let mut text = Vec::new();
    if !method.has_section("# Errors") {
        let any = any_call_ends_with(interface);
        text.push(format!("\n# Errors\nWhat the service answers, and {any}."));
    }
    if !method.has_section("# Cancel safety") {
        let what = match method.sides.response.is_stream {
            true => "the call, or the stream that it answered,",
            false => "the call",
        };
        text.push(format!(
            "\n# Cancel safety\nDropping {what} cancels the handler at the other end."
        ));
    }
    text
}

fn any_call_ends_with(interface: &Interface) -> String {
    let any = link(interface, "Client::send");
    format!("what [any call]({any}) may end with")
}

/// Where rustdoc finds an item of the framework.
fn link(interface: &Interface, item: &str) -> String {
    let krate = &interface.krate;
    quote!(#krate).to_string().replace(' ', "") + "::" + item
}

/// A client is an implementation, too: what takes `impl Greeter` takes a client, or what a test puts in its place.
fn implementation(interface: &Interface) -> Option<TokenStream> {
    let (krate, ident, client) = (&interface.krate, &interface.ident, name(interface));
    let methods = interface.methods.iter().map(|method| {
        let (conditions, name, request) = (method.conditions(), &method.ident, request(interface, method));
        let answer = answer(method);
        quote! {
            #(#conditions)*
            async fn #name(&self, context: &#krate::Context, request: #request) -> #answer {
                #client::#name(self, request).context(context).await
            }
        }
    });
    let implementation = quote! {
        /// Each method makes the call, as part of the one whose context it is given.
        #[allow(deprecated)]
        impl #ident for #client {
            #(#methods)*
        }
    };
    interface.supertraits.is_empty().then_some(implementation)
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;
    use crate::arguments::TraitArguments;

    /// The documentation of the one call of an interface.
    fn documented(item: syn::ItemTrait) -> String {
        let interface = Interface::read(item, TraitArguments::default()).unwrap();
        let call: syn::ImplItemFn = syn::parse2(call(&interface, &interface.methods[0])).unwrap();
        let text = |attribute: &syn::Attribute| match &attribute.meta {
            syn::Meta::NameValue(pair) => quote!(#pair).to_string(),
            other => quote!(#other).to_string(),
        };
        call.attrs.iter().map(text).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn errors_of_any_call_stand_behind_those_of_the_author() {
        let text = documented(parse_quote! {
            trait Greeter {
                /// Greets.
                ///
                /// # Errors
                /// When nobody is there.
                ///
                /// # Examples
                /// None.
                async fn hello(&self, ctx: &Context, req: String) -> Result<String, Status>;
            }
        });
        let places = [
            "# Errors",
            "When nobody",
            "Besides, what",
            "# Examples",
            "# Cancel safety",
        ];
        let places = places.map(|part| text.find(part).unwrap_or_else(|| panic!("no {part}: {text}")));
        assert!(places.is_sorted(), "{text}");
        assert_eq!(text.matches("# Errors").count(), 1, "{text}");
    }

    #[test]
    fn errors_of_any_call_stand_alone_where_the_author_tells_of_none() {
        let text = documented(parse_quote! {
            trait Greeter {
                /// Greets.
                async fn hello(&self, ctx: &Context, req: String) -> Result<String, Status>;
            }
        });
        assert!(text.contains("What the service answers, and what"), "{text}");
        assert!(!text.contains("Besides"), "{text}");
    }
}
