//! Calls by name: what a client makes a [`Call`] of.

use crate::client::{Call, Client};
use crate::codec::{Marshaller, Payload};
use crate::message::Text;
use crate::name;
use crate::rpc::{BidiStream, Body, CallKind, ClientStream, Request, ServerStream, Status, Streaming, Unary};

impl Client {
    /// Sends one message and gets one answer. Without a deadline it has the client's `request_timeout`.
    pub fn unary<Req: Payload, Res: Payload>(
        &self,
        service: impl Into<Text>,
        endpoint: impl Into<Text>,
        request: Req,
    ) -> Call<Unary, Res> {
        let how = (CallKind::Unary, Marshaller::payload());
        let request = one(service.into(), endpoint.into(), how, &request);
        Call::new(self.clone(), request, Marshaller::payload())
    }

    /// Sends one message and gets a stream of answers.
    pub fn server_stream<Req: Payload, Res: Payload>(
        &self,
        service: impl Into<Text>,
        endpoint: impl Into<Text>,
        request: Req,
    ) -> Call<ServerStream, Res> {
        let how = (CallKind::ServerStream, Marshaller::payload());
        let request = one(service.into(), endpoint.into(), how, &request);
        Call::new(self.clone(), request, Marshaller::payload())
    }

    /// Sends a stream of messages and gets one answer.
    pub fn client_stream<Req: Payload, Res: Payload>(
        &self,
        service: impl Into<Text>,
        endpoint: impl Into<Text>,
        requests: Streaming<Req>,
    ) -> Call<ClientStream, Res> {
        let how = (CallKind::ClientStream, Marshaller::payload());
        let request = many(service.into(), endpoint.into(), how, requests);
        Call::new(self.clone(), request, Marshaller::payload())
    }

    /// Sends a stream of messages and gets a stream of answers, each at its own pace.
    pub fn bidi_stream<Req: Payload, Res: Payload>(
        &self,
        service: impl Into<Text>,
        endpoint: impl Into<Text>,
        requests: Streaming<Req>,
    ) -> Call<BidiStream, Res> {
        let how = (CallKind::BidiStream, Marshaller::payload());
        let request = many(service.into(), endpoint.into(), how, requests);
        Call::new(self.clone(), request, Marshaller::payload())
    }
}

/// Which shape a call has, and how what is sent travels.
type How<Req> = (CallKind, Marshaller<Req>);

pub(super) fn one<Req>(
    service: Text,
    endpoint: Text,
    how: How<Req>,
    request: &Req,
) -> Result<Request, Status> {
    check(&service, &endpoint)?;
    let body = how.1.encode(request, how.1.codec())?;
    Ok(finished(service, endpoint, how, Body::One(body)))
}

pub(super) fn many<Req: Send + 'static>(
    service: Text,
    endpoint: Text,
    how: How<Req>,
    requests: Streaming<Req>,
) -> Result<Request, Status> {
    check(&service, &endpoint)?;
    let body = requests.encode(how.1.codec(), how.1, Status::from);
    Ok(finished(service, endpoint, how, Body::Many(body)))
}

fn check(service: &str, endpoint: &str) -> Result<(), Status> {
    name::check_service(service)?;
    Ok(name::check_endpoint(endpoint)?)
}

fn finished<Req>(service: Text, endpoint: Text, how: How<Req>, body: Body) -> Request {
    let request = Request::new(service, endpoint, body).with_kind(how.0);
    request.with_content_type(how.1.codec().content_type())
}
