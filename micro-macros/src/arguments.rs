//! What authors say in `#[micro::service(…)]` and `#[endpoint(…)]`.

use std::time::Duration;

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, LitStr, Path};

use crate::names;

/// How messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Json,
    Protobuf,
    JsonOrProtobuf,
    ProtobufOrJson,
    Payload,
}

const CODECS: [(&str, Codec); 5] = [
    ("json", Codec::Json),
    ("protobuf", Codec::Protobuf),
    ("json, protobuf", Codec::JsonOrProtobuf),
    ("protobuf, json", Codec::ProtobufOrJson),
    ("payload", Codec::Payload),
];

impl Codec {
    /// The function that makes the marshaller.
    pub(crate) fn marshaller(self) -> &'static str {
        match self {
            Codec::Json => "json",
            Codec::Protobuf => "protobuf",
            Codec::JsonOrProtobuf => "json_or_protobuf",
            Codec::ProtobufOrJson => "protobuf_or_json",
            Codec::Payload => "payload",
        }
    }

    /// The function that makes the marshaller of a message of a .proto file, where JSON is by protobuf's mapping.
    pub(crate) fn described(self) -> Option<&'static str> {
        match self {
            Codec::JsonOrProtobuf => Some("proto_json_or_protobuf"),
            Codec::ProtobufOrJson => Some("protobuf_or_proto_json"),
            Codec::Json | Codec::Protobuf | Codec::Payload => None,
        }
    }
}

/// The arguments of the trait.
#[derive(Default)]
pub(crate) struct TraitArguments {
    pub(crate) name: Option<String>,
    pub(crate) prefix: Option<String>,
    pub(crate) codec: Option<Codec>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) krate: Option<Path>,
    /// What declares the messages, in generated code.
    pub(crate) descriptors: Option<Path>,
}

/// The arguments of a method.
#[derive(Default)]
pub(crate) struct MethodArguments {
    pub(crate) name: Option<(String, Span)>,
    pub(crate) codec: Option<Codec>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) idempotent: bool,
    /// What the messages look like, as JSON: for what the types do not tell, in generated code.
    pub(crate) request_shape: Option<String>,
    pub(crate) response_shape: Option<String>,
    /// The messages of .proto files that they are, in generated code.
    pub(crate) request_message: Option<String>,
    pub(crate) response_message: Option<String>,
}

impl TraitArguments {
    pub(crate) fn take(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        match key(meta).as_str() {
            "name" => once(meta, &mut self.name, service(&text(meta)?)),
            "prefix" => once(meta, &mut self.prefix, token(&text(meta)?)),
            "codec" => once(meta, &mut self.codec, codec(&text(meta)?)),
            "timeout" => once(meta, &mut self.timeout, timeout(&text(meta)?)),
            "crate" => once(meta, &mut self.krate, text(meta)?.parse()),
            "descriptors" => once(meta, &mut self.descriptors, text(meta)?.parse()),
            other => Err(unknown(meta, other, "name, prefix, codec, timeout, crate")),
        }
    }
}

/// The arguments of an event.
#[derive(Default)]
pub(crate) struct EventArguments {
    pub(crate) topic: Option<String>,
    pub(crate) codec: Option<Codec>,
    pub(crate) krate: Option<Path>,
}

impl EventArguments {
    pub(crate) fn take(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        match key(meta).as_str() {
            "topic" => once(meta, &mut self.topic, topic(&text(meta)?)),
            "codec" => once(meta, &mut self.codec, codec(&text(meta)?)),
            "crate" => once(meta, &mut self.krate, text(meta)?.parse()),
            other => Err(unknown(meta, other, "topic, codec, crate")),
        }
    }
}

impl MethodArguments {
    /// Takes `#[endpoint(…)]` out of the attributes of a method.
    pub(crate) fn take_from(attributes: &mut Vec<Attribute>) -> syn::Result<Self> {
        let mut said = MethodArguments::default();
        for attribute in attributes.extract_if(.., |attribute| attribute.path().is_ident("endpoint")) {
            attribute.parse_nested_meta(|meta| said.take(&meta))?;
        }
        Ok(said)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        match key(meta).as_str() {
            "name" => {
                let text = text(meta)?;
                once(meta, &mut self.name, token(&text).map(|name| (name, text.span())))
            }
            "codec" => once(meta, &mut self.codec, codec(&text(meta)?)),
            "timeout" => once(meta, &mut self.timeout, timeout(&text(meta)?)),
            "idempotent" if self.idempotent => Err(twice(meta)),
            "idempotent" => {
                self.idempotent = true;
                Ok(())
            }
            "request_shape" => once(meta, &mut self.request_shape, Ok(text(meta)?.value())),
            "response_shape" => once(meta, &mut self.response_shape, Ok(text(meta)?.value())),
            "request_message" => once(meta, &mut self.request_message, Ok(text(meta)?.value())),
            "response_message" => once(meta, &mut self.response_message, Ok(text(meta)?.value())),
            other => Err(unknown(meta, other, "name, idempotent, timeout, codec")),
        }
    }
}

fn key(meta: &ParseNestedMeta<'_>) -> String {
    meta.path.get_ident().map(ToString::to_string).unwrap_or_default()
}

fn text(meta: &ParseNestedMeta<'_>) -> syn::Result<LitStr> {
    meta.value()?.parse()
}

fn once<T>(meta: &ParseNestedMeta<'_>, place: &mut Option<T>, value: syn::Result<T>) -> syn::Result<()> {
    match place.replace(value?) {
        Some(_) => Err(twice(meta)),
        None => Ok(()),
    }
}

fn twice(meta: &ParseNestedMeta<'_>) -> syn::Error {
    meta.error(format_args!("`{}` is said twice", key(meta)))
}

fn unknown(meta: &ParseNestedMeta<'_>, key: &str, known: &str) -> syn::Error {
    meta.error(format_args!("unknown argument `{key}`; known: {known}"))
}

fn service(text: &LitStr) -> syn::Result<String> {
    let name = text.value();
    match names::is_service(&name) {
        true => Ok(name),
        false => Err(syn::Error::new(
            text.span(),
            "the name of a service is like `greeter` or `shop.orders`: no white space, no wildcards",
        )),
    }
}

fn topic(text: &LitStr) -> syn::Result<String> {
    let name = text.value();
    // The rules are the same.
    match names::is_service(&name) {
        true => Ok(name),
        false => Err(syn::Error::new(
            text.span(),
            "a topic is like `orders` or `orders.placed`: no white space, no wildcards",
        )),
    }
}

fn token(text: &LitStr) -> syn::Result<String> {
    let name = text.value();
    match names::is_token(&name) {
        true => Ok(name),
        false => Err(syn::Error::new(
            text.span(),
            "each half of an endpoint's name is one word: no dots, no white space, no wildcards",
        )),
    }
}

fn codec(text: &LitStr) -> syn::Result<Codec> {
    let asked = text.value();
    let found = CODECS.iter().find(|(name, _)| *name == asked);
    found.map(|(_, codec)| *codec).ok_or_else(|| {
        let known: Vec<_> = CODECS.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        syn::Error::new(
            text.span(),
            format_args!("unknown codec; known: {}", known.join(", ")),
        )
    })
}

fn timeout(text: &LitStr) -> syn::Result<Duration> {
    names::duration(&text.value()).ok_or_else(|| {
        syn::Error::new(
            text.span(),
            "a timeout is a whole number and a unit, such as \"200ms\", \"2s\" or \"1m\"",
        )
    })
}
