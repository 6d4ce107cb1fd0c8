//! An endpoint with its types: what a client and a server of one interface share.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use crate::codec::Marshaller;

/// One message, one answer.
#[derive(Debug)]
pub struct Unary;
/// One message, many answers.
#[derive(Debug)]
pub struct ServerStream;
/// Many messages, one answer.
#[derive(Debug)]
pub struct ClientStream;
/// Many messages, many answers.
#[derive(Debug)]
pub struct BidiStream;

/// One method of an interface: its endpoint, what it takes and answers, and how it is called.
///
/// `#[micro::service]` makes one of each method of a trait. `Kind` is [`Unary`], [`ServerStream`], [`ClientStream`]
/// or [`BidiStream`].
///
/// ```
/// use micro_core::codec::Marshaller;
/// use micro_core::rpc::{Method, Unary};
/// const HELLO: Method<Unary, String, String> =
///     Method::new("Greeter.Hello", Marshaller::json(), Marshaller::json()).idempotent();
/// assert_eq!(HELLO.endpoint(), "Greeter.Hello");
/// ```
pub struct Method<Kind, Req, Res> {
    pub(crate) endpoint: &'static str,
    pub(crate) description: &'static str,
    pub(crate) request: Marshaller<Req>,
    pub(crate) response: Marshaller<Res>,
    pub(crate) idempotent: bool,
    pub(crate) timeout: Option<Duration>,
    kind: PhantomData<fn() -> Kind>,
}

impl<Kind, Req, Res> Method<Kind, Req, Res> {
    /// A method of this endpoint, `Type.Method`.
    pub const fn new(endpoint: &'static str, request: Marshaller<Req>, response: Marshaller<Res>) -> Self {
        Method {
            endpoint,
            description: "",
            request,
            response,
            idempotent: false,
            timeout: None,
            kind: PhantomData,
        }
    }

    /// Says what it does, for the registry.
    #[must_use]
    pub const fn describe(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Says that the handler may run twice without harm, so that a call that may have run can be made again.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Bounds calls that have no deadline, in place of the client's `request_timeout`.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// `Type.Method`.
    pub fn endpoint(&self) -> &'static str {
        self.endpoint
    }
}

// Not derived: these hold whatever the types are.
impl<Kind, Req, Res> Clone for Method<Kind, Req, Res> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Kind, Req, Res> Copy for Method<Kind, Req, Res> {}

impl<Kind, Req, Res> fmt::Debug for Method<Kind, Req, Res> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Method")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
