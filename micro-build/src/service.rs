//! The trait of a service, as its author would have written it.

use std::fmt::Write;

use prost_build::{Comments, Method, Service, ServiceGenerator};
use protox::prost_reflect::DescriptorPool;

use crate::shape;

/// Writes traits.
pub(crate) struct Generator {
    pool: DescriptorPool,
    codec: String,
    krate: String,
    /// The file that declares the messages, where JSON is by protobuf's mapping.
    descriptors: Option<String>,
}

/// What declares the messages, in each package.
const DESCRIPTORS: &str = "MICRO_DESCRIPTORS";

/// What the client has beside the methods.
const TAKEN: [&str; 3] = ["new", "with_service", "with_version"];

impl Generator {
    pub(crate) fn new(pool: DescriptorPool, codec: String, krate: &str, descriptors: Option<String>) -> Self {
        Generator {
            pool,
            codec,
            krate: krate.to_owned(),
            descriptors,
        }
    }

    fn method(&self, method: &Method) -> String {
        let krate = &self.krate;
        let mut text = documentation(&method.comments, 1);
        if method.options.deprecated() {
            text += "    #[deprecated]\n";
        }
        let name = match TAKEN.contains(&method.name.as_str()) {
            true => format!("{}_", method.name),
            false => method.name.clone(),
        };
        let streaming = |is_stream: bool, message: &str| match is_stream {
            true => format!("{krate}::Streaming<{message}>"),
            false => message.to_owned(),
        };
        let request = streaming(method.client_streaming, &method.input_type);
        let response = streaming(method.server_streaming, &method.output_type);
        let arguments = self.arguments(method);
        let _ = writeln!(text, "    #[endpoint({arguments})]");
        let _ = writeln!(
            text,
            "    async fn {name}(&self, ctx: &{krate}::Context, request: {request}) -> Result<{response}, {krate}::Status>;"
        );
        text
    }

    fn arguments(&self, method: &Method) -> String {
        let mut arguments = vec![format!("name = {:?}", method.proto_name)];
        // Neither "without side effects" nor "idempotent" is harmed by a second time; zero says nothing.
        if method.options.idempotency_level.is_some_and(|level| level != 0) {
            arguments.push("idempotent".to_owned());
        }
        if self.descriptors.is_some() {
            let (request, response) = (&method.input_proto_type, &method.output_proto_type);
            for (side, message) in [("request", request), ("response", response)] {
                arguments.push(format!("{side}_message = {:?}", message.trim_start_matches('.')));
            }
        }
        // Of a stream, the registry tells no shapes.
        if !method.client_streaming && !method.server_streaming {
            let sides = [
                ("request", &method.input_proto_type),
                ("response", &method.output_proto_type),
            ];
            for (side, message) in sides {
                let shape = shape::of(&self.pool, message);
                arguments.extend(shape.map(|shape| format!("{side}_shape = {shape:?}")));
            }
        }
        arguments.join(", ")
    }
}

impl ServiceGenerator for Generator {
    fn generate(&mut self, service: Service, text: &mut String) {
        let Generator { codec, krate, .. } = self;
        let described = match &self.descriptors {
            Some(_) => format!(", descriptors = {DESCRIPTORS:?}"),
            None => String::new(),
        };
        *text += &documentation(&service.comments, 0);
        // Not every method of a file has a comment.
        *text += "#[allow(missing_docs)]\n";
        let _ = writeln!(
            text,
            "#[{krate}::service(prefix = {:?}, codec = {codec:?}, crate = {krate:?}{described})]",
            service.proto_name
        );
        let _ = writeln!(text, "pub trait {} {{", service.name);
        for method in &service.methods {
            *text += &self.method(method);
        }
        *text += "}\n";
    }

    fn finalize_package(&mut self, _: &str, text: &mut String) {
        let krate = &self.krate;
        if let Some(file) = &self.descriptors {
            let _ = writeln!(
                text,
                "static {DESCRIPTORS}: {krate}::codec::Descriptors = {krate}::codec::Descriptors::new(include_bytes!({file:?}));"
            );
        }
    }
}

/// The comments on an item and after it. What stands apart from it is not about it.
fn documentation(comments: &Comments, indent: u8) -> String {
    let comments = Comments {
        leading_detached: Vec::new(),
        ..comments.clone()
    };
    let mut text = String::new();
    comments.append_with_indent(indent, &mut text);
    text
}
