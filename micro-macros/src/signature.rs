//! What the signature of a method says, and what it may not say.

use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{FnArg, GenericArgument, PathArguments, ReturnType, Signature, Token, Type};

/// One message, or many.
pub(crate) struct Side {
    pub(crate) message: Type,
    pub(crate) is_stream: bool,
}

/// What a method takes and answers.
pub(crate) struct Sides {
    pub(crate) request: Side,
    pub(crate) response: Side,
}

/// Reads what a method takes and answers.
pub(crate) fn read(signature: &Signature) -> syn::Result<Sides> {
    check_head(signature)?;
    check_receiver(signature)?;
    let request = request(signature)?;
    Ok(Sides {
        request,
        response: response(signature)?,
    })
}

fn check_head(signature: &Signature) -> syn::Result<()> {
    if signature.asyncness.is_none() {
        let error = "a method of a service is an `async fn`";
        return Err(syn::Error::new_spanned(signature.fn_token, error));
    }
    let odd = signature
        .constness
        .map(|token| token.span())
        .or_else(|| signature.unsafety.map(|token| token.span()))
        .or_else(|| signature.abi.as_ref().map(Spanned::span));
    if let Some(span) = odd {
        return Err(syn::Error::new(
            span,
            "a method of a service is a plain `async fn`",
        ));
    }
    let generics = &signature.generics;
    let parameter = generics.params.first().map(Spanned::span);
    match parameter.or_else(|| generics.where_clause.as_ref().map(Spanned::span)) {
        Some(span) => Err(syn::Error::new(
            span,
            "a method of a service is not generic: who calls it is another process, and knows one type",
        )),
        None => Ok(()),
    }
}

fn check_receiver(signature: &Signature) -> syn::Result<()> {
    match signature.inputs.first() {
        Some(FnArg::Receiver(receiver)) => {
            match (&receiver.reference, receiver.mutability, receiver.colon_token) {
                (Some((_, None)), None, None) => Ok(()),
                _ => Err(syn::Error::new_spanned(
                    receiver,
                    "a method of a service takes `&self`: calls run at once and share it; \
                 keep what changes in a `Mutex` or an atomic",
                )),
            }
        }
        _ => Err(syn::Error::new(
            signature.ident.span(),
            format_args!(
                "`&self` is missing: `async fn {}(&self, ctx: &Context, …)`",
                signature.ident
            ),
        )),
    }
}

/// The parameters after the receiver: the context, and one request.
fn request(signature: &Signature) -> syn::Result<Side> {
    let mut types = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(&*typed.ty),
        FnArg::Receiver(_) => None,
    });
    match (types.next(), types.next(), types.next()) {
        (Some(context), _, _) if !is_context(context) => Err(syn::Error::new_spanned(
            context,
            "the first parameter after `&self` is the context: `ctx: &Context`",
        )),
        (Some(_), Some(request), None) => side(request, "a request is taken by value"),
        (None, _, _) => Err(wanting(
            signature,
            "a context and a request are missing: `ctx: &Context, req: Request`",
        )),
        (Some(_), None, _) => Err(wanting(
            signature,
            "a request is missing; a method that needs none takes an empty struct",
        )),
        (_, _, Some(more)) => Err(syn::Error::new_spanned(
            more,
            "a method of a service takes one request: put what it needs into one struct",
        )),
    }
}

fn wanting(signature: &Signature, message: &str) -> syn::Error {
    syn::Error::new(signature.ident.span(), message)
}

fn response(signature: &Signature) -> syn::Result<Side> {
    const WANTED: &str =
        "a method of a service answers `Result<Reply, Status>` or `Result<Streaming<Reply>, Status>`";
    let ReturnType::Type(_, answer) = &signature.output else {
        return Err(wanting(signature, WANTED));
    };
    let Some([reply, error]) =
        arguments(answer, "Result").and_then(|types| <[&Type; 2]>::try_from(types).ok())
    else {
        return Err(syn::Error::new_spanned(answer, WANTED));
    };
    if !ends_in(error, "Status") {
        let message =
            "a call ends with a `Status`; with `impl From<YourError> for Status`, `?` makes one of yours";
        return Err(syn::Error::new_spanned(error, message));
    }
    side(reply, "a reply is answered by value")
}

fn side(given: &Type, by_value: &str) -> syn::Result<Side> {
    let (message, is_stream) = match arguments(given, "Streaming").as_deref() {
        Some([item]) => (*item, true),
        _ => (given, false),
    };
    match message {
        Type::Reference(_) => Err(syn::Error::new_spanned(message, by_value)),
        Type::ImplTrait(_) | Type::Infer(_) => Err(syn::Error::new_spanned(
            message,
            "who calls it is another process: name the type",
        )),
        _ => Ok(Side {
            message: message.clone(),
            is_stream,
        }),
    }
}

fn is_context(given: &Type) -> bool {
    matches!(given, Type::Reference(it) if it.mutability.is_none() && ends_in(&it.elem, "Context"))
}

fn ends_in(given: &Type, name: &str) -> bool {
    matches!(given, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
}

/// The types in the angle brackets of a path that ends in `name`.
fn arguments<'a>(given: &'a Type, name: &str) -> Option<Vec<&'a Type>> {
    let Type::Path(path) = given else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    match &last.arguments {
        PathArguments::AngleBracketed(brackets) => types(&brackets.args),
        _ => None,
    }
}

fn types(arguments: &Punctuated<GenericArgument, Token![,]>) -> Option<Vec<&Type>> {
    let mut types = arguments.iter().map(|argument| match argument {
        GenericArgument::Type(it) => Some(it),
        _ => None,
    });
    types.by_ref().collect()
}
