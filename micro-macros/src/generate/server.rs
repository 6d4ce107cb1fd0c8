//! What serves an implementation.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::descriptor::Kind;
use crate::interface::Interface;
use crate::method::Method;

pub(super) fn server(interface: &Interface) -> TokenStream {
    let Interface {
        visibility,
        ident,
        krate,
        methods,
        ..
    } = interface;
    let server = format_ident!("{ident}Server");
    let documentation = documentation(interface);
    let routes = methods.iter().map(|method| route(interface, method));
    let new = format!("Serves this implementation of [`{ident}`].");
    let from_arc = format!("Serves an implementation of [`{ident}`] that others hold, too.");
    quote! {
        #(#[doc = #documentation])*
        #[derive(Clone, Debug)]
        #[must_use = "a server serves when it is given to a service"]
        #[allow(dead_code)]
        #visibility struct #server {
            router: #krate::Router,
        }

        #[allow(dead_code)]
        impl #server {
            #[doc = #new]
            pub fn new<S: #ident>(service: S) -> Self {
                Self::from_arc(::std::sync::Arc::new(service))
            }

            #[doc = #from_arc]
            #[allow(deprecated)]
            pub fn from_arc<S: #ident>(service: ::std::sync::Arc<S>) -> Self {
                let router = #krate::Router::new();
                #(#routes)*
                Self { router }
            }
        }

        impl ::core::convert::From<#server> for #krate::Router {
            fn from(server: #server) -> Self {
                server.router
            }
        }
    }
}

fn documentation(interface: &Interface) -> Vec<String> {
    let Interface { ident, methods, .. } = interface;
    let mut lines = vec![
        format!("Serves an implementation of [`{ident}`]."),
        String::new(),
        "It is given to `ServiceBuilder::serve`, beside others if there are any.".to_owned(),
    ];
    if !methods.is_empty() {
        lines.extend(
            [
                "",
                "| endpoint | takes and answers | what it does |",
                "|---|---|---|",
            ]
            .map(str::to_owned),
        );
        lines.extend(methods.iter().map(|method| {
            let summary = method.summary().replace('|', "\\|");
            format!(
                "| `{}` | {} | {summary} |",
                method.endpoint,
                Kind::of(method).says
            )
        }));
    }
    lines
}

fn route(interface: &Interface, method: &Method) -> TokenStream {
    let (krate, client) = (&interface.krate, client(interface));
    let (answer, constant) = (Kind::of(method).answer(), method.constant());
    let (conditions, ident, interface) = (method.conditions(), &method.ident, &interface.ident);
    quote! {
        #(#conditions)*
        let router = router.#answer(&#client::#constant, {
            let service = ::std::sync::Arc::clone(&service);
            move |context: #krate::Context, request| {
                let service = ::std::sync::Arc::clone(&service);
                async move { <S as #interface>::#ident(&service, &context, request).await }
            }
        });
    }
}

/// The client, which has the constants.
pub(super) fn client(interface: &Interface) -> Ident {
    format_ident!("{}Client", interface.ident)
}
