//! A handler that begins: often it is done at once.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};

use futures::future::BoxFuture;
use tower::{Service, ServiceExt};

use crate::error::Error;
use crate::message::{Headers, Message};
use crate::rpc::frame::ReplyTo;
use crate::rpc::{Body, Request, Response, Status};

/// A handler at work.
pub(super) type Handling = BoxFuture<'static, Result<Response, Status>>;

/// How far a handler came at once.
pub(super) enum Begun {
    Done(Result<Response, Status>),
    Waits(Handling),
}

/// The service of one socket.
pub(super) struct Endpoints<S> {
    /// Never polled, so that it can take the place of one that failed.
    original: S,
    service: S,
}

impl<S> Endpoints<S>
where
    S: Service<Request, Response = Response, Error = Status> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    pub(super) fn new(service: S) -> Self {
        Endpoints {
            original: service.clone(),
            service,
        }
    }

    /// A handler that was not begun yet.
    pub(super) fn handle(&self, request: Request) -> Handling {
        Box::pin(self.original.clone().oneshot(request))
    }

    /// Begins a handler, and goes as far with it as it does not wait. A panic is an answer.
    pub(super) fn begin(&mut self, request: Request) -> Begun {
        let endpoint = request.endpoint.clone();
        let begun = catch_unwind(AssertUnwindSafe(|| self.try_begin(request)));
        begun.unwrap_or_else(|panic| {
            self.renew();
            Begun::Done(Err(panicked(&endpoint, &*panic)))
        })
    }

    fn try_begin(&mut self, request: Request) -> Begun {
        // Whatever waits is polled again by a task of its own, which is then woken.
        let nobody = &mut Context::from_waker(Waker::noop());
        match self.service.poll_ready(nobody) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(status)) => {
                self.renew();
                return Begun::Done(Err(status));
            }
            // It may stand in a queue, so it is the one to go on.
            Poll::Pending => return Begun::Waits(Box::pin(self.renew().oneshot(request))),
        }
        let mut handling = boxed(self.service.call(request));
        match handling.as_mut().poll(nobody) {
            Poll::Ready(answer) => Begun::Done(answer),
            Poll::Pending => Begun::Waits(handling),
        }
    }

    /// Takes a new service in place of the one that was used.
    fn renew(&mut self) -> S {
        std::mem::replace(&mut self.service, self.original.clone())
    }
}

/// In a box. Most services answer with one already, which is not put into another.
fn boxed<F>(handling: F) -> Handling
where
    F: Future<Output = Result<Response, Status>> + Send + 'static,
{
    let mut slot = Some(handling);
    let boxed = (&mut slot as &mut dyn Any).downcast_mut::<Option<Handling>>();
    match (boxed.and_then(Option::take), slot) {
        (Some(boxed), _) => boxed,
        (None, Some(handling)) => Box::pin(handling),
        // It is taken out only where it is a box.
        (None, None) => Box::pin(std::future::ready(Err(Status::internal("a handler was lost")))),
    }
}

/// The only answer of a call, as a message, whose headers may come to where there is room for them.
pub(super) fn only_answer(reply: &ReplyTo, response: Response, room: Headers) -> Result<Message, Status> {
    let Response {
        mut metadata,
        content_type,
        body,
    } = response;
    if metadata.is_empty() {
        metadata = room;
    }
    match body {
        Body::One(body) => reply.answer(content_type, metadata, body).map_err(unsayable),
        Body::Many(_) => Err(Status::unimplemented(
            "this endpoint answers with a stream; call it as one",
        )),
    }
}

/// What the handler made does not fit what its content type puts around it.
pub(super) fn unsayable(error: Error) -> Status {
    Status::internal(error.to_string())
}

/// What the caller of a handler that panicked is told.
pub(super) fn panicked(endpoint: &str, panic: &(dyn Any + Send)) -> Status {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    tracing::error!(%endpoint, panic = text, "a handler panicked");
    Status::internal(format!("the handler panicked: {text}"))
}
