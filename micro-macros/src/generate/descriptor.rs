//! The constants that client and server share.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::arguments::Codec;
use crate::interface::Interface;
use crate::method::Method;
use crate::signature::Side;

/// The four kinds of call, and what the framework calls them.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// The type.
    ident: &'static str,
    /// The methods of a stub.
    call: &'static str,
    /// The method of a router.
    answer: &'static str,
    /// What is said of it in documentation.
    pub(super) says: &'static str,
}

impl Kind {
    pub(super) fn of(method: &Method) -> Self {
        let (ident, call, answer, says) =
            match (method.sides.request.is_stream, method.sides.response.is_stream) {
                (false, false) => ("Unary", "unary", "unary_method", "one message, one answer"),
                (false, true) => (
                    "ServerStream",
                    "server_stream",
                    "server_stream_method",
                    "one message, many answers",
                ),
                (true, false) => (
                    "ClientStream",
                    "client_stream",
                    "client_stream_method",
                    "many messages, one answer",
                ),
                (true, true) => (
                    "BidiStream",
                    "bidi_stream",
                    "bidi_stream_method",
                    "many messages, many answers",
                ),
            };
        Kind {
            ident,
            call,
            answer,
            says,
        }
    }

    pub(super) fn ident(self) -> Ident {
        Ident::new(self.ident, Span::call_site())
    }

    pub(super) fn call(self) -> Ident {
        Ident::new(self.call, Span::call_site())
    }

    pub(super) fn answer(self) -> Ident {
        Ident::new(self.answer, Span::call_site())
    }
}

/// `const METHOD_HELLO: Method<Unary, HelloRequest, HelloReply> = …`
pub(super) fn descriptor(interface: &Interface, method: &Method) -> TokenStream {
    let krate = &interface.krate;
    let (constant, kind) = (method.constant(), Kind::of(method).ident());
    let conditions = method.conditions();
    let (request, response) = (&method.sides.request.message, &method.sides.response.message);
    let request_how = Travel {
        side: &method.sides.request,
        shape: method.request_shape.as_ref(),
        message: method.request_message.as_ref(),
    };
    let response_how = Travel {
        side: &method.sides.response,
        shape: method.response_shape.as_ref(),
        message: method.response_message.as_ref(),
    };
    let request_how = request_how.marshaller(interface, method.codec);
    let response_how = response_how.marshaller(interface, method.codec);
    let (endpoint, adjusted) = (&method.endpoint, adjusted(method));
    quote! {
        #(#conditions)*
        const #constant: #krate::rpc::Method<#krate::rpc::#kind, #request, #response> =
            #krate::rpc::Method::new(#endpoint, #request_how, #response_how) #adjusted;
    }
}

/// How the messages of one side travel.
struct Travel<'a> {
    side: &'a Side,
    shape: Option<&'a String>,
    /// Of a .proto file.
    message: Option<&'a String>,
}

impl Travel<'_> {
    /// What the type cannot do is an error where the author names it.
    fn marshaller(&self, interface: &Interface, codec: Codec) -> TokenStream {
        let (krate, message) = (&interface.krate, &self.side.message);
        let shaped = self
            .shape
            .map(|shape| quote!(.with_shape(|| #krate::registry::Value::from_json(#shape))));
        if let Some(described) = self.described(interface, codec) {
            return quote!({ #described #shaped });
        }
        let function = Ident::new(codec.marshaller(), message.span());
        let krate = placed(krate, message.span());
        quote_spanned!(message.span()=> #krate::codec::Marshaller::<#message>::#function() #shaped)
    }

    /// A message of a .proto file, whose JSON is by protobuf's mapping.
    fn described(&self, interface: &Interface, codec: Codec) -> Option<TokenStream> {
        let (krate, message) = (&interface.krate, &self.side.message);
        let (name, descriptors) = (self.message?, interface.descriptors.as_ref()?);
        let function = Ident::new(codec.described()?, message.span());
        Some(quote! {
            enum Described__ {}
            impl #krate::codec::DescribedMessage for Described__ {
                const NAME: &'static str = #name;
                fn descriptors() -> &'static #krate::codec::Descriptors {
                    &#descriptors
                }
            }
            #krate::codec::Marshaller::<#message>::#function::<Described__>()
        })
    }
}

/// The same tokens at another place, for an error that spans several to be told there.
fn placed(tokens: &TokenStream, place: Span) -> TokenStream {
    let tokens = tokens.clone().into_iter();
    tokens
        .map(|mut token| {
            token.set_span(place.resolved_at(token.span()));
            token
        })
        .collect()
}

fn adjusted(method: &Method) -> TokenStream {
    let summary = method.summary();
    let description = (!summary.is_empty()).then(|| quote!(.describe(#summary)));
    let idempotent = method.idempotent.then(|| quote!(.idempotent()));
    let timeout = method.timeout.map(|timeout| {
        let (seconds, nanos) = (timeout.as_secs(), timeout.subsec_nanos());
        quote!(.timeout(::core::time::Duration::new(#seconds, #nanos)))
    });
    quote!(#description #idempotent #timeout)
}
