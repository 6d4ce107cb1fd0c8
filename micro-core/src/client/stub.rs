//! A client of one service: what generated clients are made of.

use crate::client::{Call, Client, calls};
use crate::message::Text;
use crate::rpc::{BidiStream, CallKind, ClientStream, Method, ServerStream, Streaming, Unary};

/// A client of one service, by its name in the registry: what the clients that `#[micro::service]` makes hold.
///
/// Cloning is cheap.
///
/// ```
/// # use micro_core::client::{Call, Stub};
/// use micro_core::codec::Marshaller;
/// use micro_core::rpc::{Method, Unary};
/// const HELLO: Method<Unary, String, String> =
///     Method::new("Greeter.Hello", Marshaller::json(), Marshaller::json());
/// fn hello(greeter: &Stub, name: String) -> Call<Unary, String> {
///     greeter.unary(&HELLO, name)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Stub {
    client: Client,
    service: Text,
    version: Option<Text>,
}

impl Stub {
    /// Calls the service of that name.
    pub fn new(client: &Client, service: impl Into<Text>) -> Self {
        Stub {
            client: client.clone(),
            service: service.into(),
            version: None,
        }
    }

    /// Calls the service of another name.
    #[must_use]
    pub fn with_service(mut self, service: impl Into<Text>) -> Self {
        self.service = service.into();
        self
    }

    /// Calls nodes of this version only. Default: of any.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<Text>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// The name of the service.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Sends one message and gets one answer.
    pub fn unary<Req, Res>(&self, method: &Method<Unary, Req, Res>, request: Req) -> Call<Unary, Res> {
        self.one(CallKind::Unary, method, &request)
    }

    /// Sends one message and gets a stream of answers.
    pub fn server_stream<Req, Res>(
        &self,
        method: &Method<ServerStream, Req, Res>,
        request: Req,
    ) -> Call<ServerStream, Res> {
        self.one(CallKind::ServerStream, method, &request)
    }

    /// Sends a stream of messages and gets one answer.
    pub fn client_stream<Req: Send + 'static, Res>(
        &self,
        method: &Method<ClientStream, Req, Res>,
        requests: Streaming<Req>,
    ) -> Call<ClientStream, Res> {
        self.many(CallKind::ClientStream, method, requests)
    }

    /// Sends a stream of messages and gets a stream of answers, each at its own pace.
    pub fn bidi_stream<Req: Send + 'static, Res>(
        &self,
        method: &Method<BidiStream, Req, Res>,
        requests: Streaming<Req>,
    ) -> Call<BidiStream, Res> {
        self.many(CallKind::BidiStream, method, requests)
    }

    fn one<Kind, Req, Res>(
        &self,
        kind: CallKind,
        method: &Method<Kind, Req, Res>,
        request: &Req,
    ) -> Call<Kind, Res> {
        let (service, endpoint) = (self.service.clone(), method.endpoint.into());
        let request = calls::one(service, endpoint, (kind, method.request), request);
        self.adjusted(method, Call::new(self.client.clone(), request, method.response))
    }

    fn many<Kind, Req: Send + 'static, Res>(
        &self,
        kind: CallKind,
        method: &Method<Kind, Req, Res>,
        requests: Streaming<Req>,
    ) -> Call<Kind, Res> {
        let (service, endpoint) = (self.service.clone(), method.endpoint.into());
        let request = calls::many(service, endpoint, (kind, method.request), requests);
        self.adjusted(method, Call::new(self.client.clone(), request, method.response))
    }

    fn adjusted<Kind, Req, Res>(
        &self,
        method: &Method<Kind, Req, Res>,
        call: Call<Kind, Res>,
    ) -> Call<Kind, Res> {
        let call = call.default_timeout(method.timeout);
        let call = match &self.version {
            Some(version) => call.version(version.clone()),
            None => call,
        };
        match method.idempotent {
            true => call.idempotent(),
            false => call,
        }
    }
}
