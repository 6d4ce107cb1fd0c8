//! Unary calls, begun in the task of their socket: most of them end there, too.

use bytes::Bytes;
use tower::Service;

use super::Connection;
use super::rest::Wait;
use crate::rpc::frame::Call;
use crate::rpc::{Body, Request, Response, Status};
use crate::server::Admitted;
use crate::server::handling::{self, Begun};

impl<S> Connection<'_, S>
where
    S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    pub(super) fn on_unary(&mut self, mut call: Call) -> Option<Wait> {
        match self.admit(&mut call) {
            Ok((body, place)) => {
                self.begin(call, body, place);
                None
            }
            Err(status) => self.refuse(call.reply, &status),
        }
    }

    fn begin(&mut self, mut call: Call, body: Bytes, place: Admitted) {
        let (room, context) = (call.take_room(), self.child());
        let (reply, mut request) = call.into_request(context, Body::One(body), self.pace.now());
        let observed = self.observe(&mut request);
        let context = request.context.clone();
        let begun = match &observed {
            None => self.begin_here(request),
            Some(observed) => {
                // To make a span is not the handler's time.
                self.pace.pause();
                observed.span().in_scope(|| self.begin_here(request))
            }
        };
        match begun {
            Begun::Done(response) => {
                let answer = response.and_then(|response| handling::only_answer(&reply, response, room));
                if let Some(observed) = observed {
                    observed.end(answer.as_ref().map(drop));
                }
                let answer = answer.unwrap_or_else(|status| reply.failure(&status));
                self.writer.feed(answer, &reply);
                self.spare = context.renewed(&self.context);
            }
            Begun::Waits(handling) => self.spawn(reply, context, None, place, observed, handling),
        }
    }

    /// Begins a handler in this task, if its answer could leave from here, too.
    fn begin_here(&mut self, request: Request) -> Begun {
        if !self.writer.has_room() {
            self.pace.pause();
            return Begun::Waits(self.endpoints.handle(request));
        }
        if !self.pace.begin() {
            return Begun::Waits(self.endpoints.handle(request));
        }
        let begun = self.endpoints.begin(request);
        self.pace.end();
        begun
    }
}
