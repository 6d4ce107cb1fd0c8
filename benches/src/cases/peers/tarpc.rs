//! The peer: tarpc over its channels in memory, which hand values over as they are: nothing is encoded.
//!
//! Its best set-up: one client or two, as on our side, and requests answered each in a task, as its documentation has
//! it, or all in one. Either way a handler that waits keeps nobody else waiting, which holds on our side, too.

use anyhow::Result;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use tarpc::client::Config;
use tarpc::context::{self, Context};
use tarpc::server::{BaseChannel, Channel};
use tarpc::transport::channel;
use tokio::task::JoinSet;

use crate::load::{Callers, Setup};
use crate::payload::{self, Order};

#[tarpc::service]
trait Echo {
    async fn order(order: Order) -> Order;
    async fn bytes(body: Bytes) -> Bytes;
}

#[derive(Clone)]
struct Server;

impl Echo for Server {
    async fn order(self, _: Context, order: Order) -> Order {
        order
    }

    async fn bytes(self, _: Context, body: Bytes) -> Bytes {
        body
    }
}

/// Calls of typed orders.
pub(crate) async fn orders(callers: usize) -> Result<Vec<Setup>> {
    let call = async |client: EchoClient, id| {
        let answer = client.order(context::current(), Order::new(id)).await?;
        answer.check(id)
    };
    Ok(setups(callers, call))
}

/// Calls of bytes.
pub(crate) async fn bytes(callers: usize) -> Result<Vec<Setup>> {
    let call = async |client: EchoClient, id| {
        let answer = client.bytes(context::current(), payload::raw(id)).await?;
        payload::check_raw(&answer, id)
    };
    Ok(setups(callers, call))
}

/// Who runs the handlers.
#[derive(Clone, Copy)]
enum Answering {
    TaskEach,
    OneTask,
}

fn setups<F, Fut>(callers: usize, call: F) -> Vec<Setup>
where
    F: Fn(EchoClient, u64) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    let setup = |name: &str, clients: usize, answering| {
        let mut servers = JoinSet::new();
        let clients: Vec<_> = (0..clients).map(|_| connect(answering, &mut servers)).collect();
        let call = call.clone();
        let call = move |id| call(clients[payload::caller_of(id) % clients.len()].clone(), id);
        Setup::new(name, Callers::new(callers, call), servers)
    };
    vec![
        setup("1 client, a task for each request", 1, Answering::TaskEach),
        setup("2 clients, a task for each request", 2, Answering::TaskEach),
        setup("1 client, one task for all requests", 1, Answering::OneTask),
        setup("2 clients, one task for all requests", 2, Answering::OneTask),
    ]
}

fn connect(answering: Answering, servers: &mut JoinSet<()>) -> EchoClient {
    let (near, far) = channel::unbounded();
    let answers = BaseChannel::with_defaults(far).execute(Server.serve());
    servers.spawn(answer(answers, answering));
    // A place for every caller that we have.
    let mut config = Config::default();
    config.pending_request_buffer = 1024;
    EchoClient::new(config, near).spawn()
}

async fn answer<A>(answers: impl Stream<Item = A>, answering: Answering)
where
    A: Future<Output = ()> + Send + 'static,
{
    match answering {
        Answering::TaskEach => answers.for_each(async |answer| drop(tokio::spawn(answer))).await,
        Answering::OneTask => answers.for_each_concurrent(None, |answer| answer).await,
    }
}
