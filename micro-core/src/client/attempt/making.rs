//! One attempt: a call to a node, or a stream.

use std::sync::Arc;

use tokio::time::Instant;

use super::Attempts;
use crate::client::connection::Connection;
use crate::client::dispatch::within;
use crate::client::stream::{self, Answers};
use crate::client::unreached::undialled;
use crate::rpc::frame::Dialect;
use crate::rpc::{Code, Request, Response, Status};
use crate::selector::{Pick, Target, Verdict};
use crate::transport::Socket;

impl Attempts {
    /// Makes a unary call to this node, on the socket that all of them share. How it ended is to be told to
    /// [`end`](Attempts::end), if it counts.
    pub(crate) async fn call(&self, pick: &Pick, request: &mut Request) -> Outcome {
        let _entered = pick.enter();
        let (connection, begun) = match self.client.pool.open(pick.address()) {
            Some(connection) => (connection, self.now.unwrap_or_else(Instant::now)),
            None => match Box::pin(within(&request.context, self.connect(pick))).await {
                Ok(connection) => (connection, Instant::now()),
                Err(status) => return Outcome::from(Err(status)),
            },
        };
        let answer = match connection.call(request, begun) {
            Ok(calling) => calling.await,
            Err(status) => Err(status),
        };
        if self.measures && tells_time(&answer) {
            pick.observe_since(begun);
        }
        if answer.is_ok() {
            self.answered(pick);
        }
        let retired = answer.is_err() && connection.has_retired();
        Outcome { answer, retired }
    }

    async fn connect(&self, target: &Target) -> Result<Arc<Connection>, Status> {
        let pool = &self.client.pool;
        let connection = pool.get(target.address(), &target.node().metadata).await;
        connection.map_err(undialled)
    }

    /// Opens a stream, on a socket of its own, to the first node that can be dialled.
    pub(crate) async fn open(&mut self, request: Request) -> Result<(Pick, Answers), Status> {
        let (pick, socket) = self.dial(request.context.deadline()).await?;
        let dialect = Dialect::of(&pick.node().metadata);
        let answers = stream::open(
            socket,
            request,
            dialect,
            pick.enter(),
            self.client.options.stream_capacity,
        );
        Ok((pick, answers))
    }

    async fn dial(&mut self, deadline: Option<Instant>) -> Result<(Pick, Socket), Status> {
        loop {
            self.retries.pause().await?;
            let pick = self.next().await?;
            match self
                .client
                .pool
                .dial(pick.address(), &pick.node().metadata)
                .await
                .map_err(undialled)
            {
                Ok(socket) => return Ok((pick, socket)),
                Err(failed) if self.may_try_again(&pick, &failed, deadline) => {}
                Err(failed) => return Err(failed),
            }
        }
    }
}

/// How one attempt ended.
pub(crate) struct Outcome {
    pub(crate) answer: Result<Response, Status>,
    /// The socket was given up as idle at that very moment.
    pub(crate) retired: bool,
}

impl From<Result<Response, Status>> for Outcome {
    fn from(answer: Result<Response, Status>) -> Self {
        Outcome {
            answer,
            retired: false,
        }
    }
}

/// Whether how long it took says how long the node takes. One that refuses all at once would look like the fastest.
fn tells_time(answer: &Result<Response, Status>) -> bool {
    match answer {
        Ok(_) => true,
        Err(status) if status.code() == Code::Unavailable => false,
        Err(status) => matches!(Verdict::of(status), Some(Verdict::Answered | Verdict::Failed)),
    }
}
