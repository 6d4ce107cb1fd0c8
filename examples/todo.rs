//! A list of things to do: a typed service with errors, streams both ways, and middleware that knows who calls.
//!
//! With nothing installed, everything in memory; over NATS, with a server at 127.0.0.1:4222:
//!
//! ```text
//! cargo run --example todo
//! cargo run --example todo -- --transport=nats --broker=nats --registry=nats
//! ```

// This is a program: its output is its job.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::{StreamExt, TryStreamExt};
use micro::prelude::*;
use micro::service::Routes;
use micro::tower::{self, ServiceExt, layer::layer_fn, service_fn};
use micro::{Headers, Request, Response};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::{self, Sender, error::RecvError};

/// How many things one may have to do.
const LIMIT: usize = 100;

/// Something to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Todo {
    id: u32,
    title: String,
    done: bool,
}

/// Which of them are asked for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Filter {
    All,
    Open,
}

/// What became of many.
#[derive(Debug, Serialize, Deserialize)]
struct Imported {
    added: u32,
    refused: u32,
}

/// Things to do. Whose they are is in the header `Owner`; a call without it gets `Unauthenticated`.
#[micro::service]
trait Todos {
    /// Adds something to do.
    ///
    /// # Errors
    /// `InvalidArgument` when it has no title, `ResourceExhausted` when there is too much to do.
    async fn add(&self, ctx: &Context, title: String) -> Result<Todo, Status>;

    /// Says that it is done.
    ///
    /// # Errors
    /// `NotFound` when there is no such thing, `FailedPrecondition` when it is done already.
    async fn complete(&self, ctx: &Context, id: u32) -> Result<Todo, Status>;

    /// Lists what there is to do.
    #[endpoint(idempotent)]
    async fn list(&self, ctx: &Context, filter: Filter) -> Result<Streaming<Todo>, Status>;

    /// Adds many, and passes over those that cannot be added.
    async fn import(&self, ctx: &Context, titles: Streaming<String>) -> Result<Imported, Status>;

    /// Tells what there is to do, and then of each change.
    ///
    /// # Errors
    /// The stream ends with `DataLoss` when its reader is too slow.
    async fn watch(&self, ctx: &Context, nothing: ()) -> Result<Streaming<Todo>, Status>;
}

/// What everybody has to do.
struct Lists {
    owners: Mutex<BTreeMap<String, Vec<Todo>>>,
    changes: Sender<(String, Todo)>,
}

impl Lists {
    fn new() -> Self {
        Lists {
            owners: Mutex::default(),
            changes: broadcast::channel(256).0,
        }
    }

    fn owners(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Todo>>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, owner: String, todo: &Todo) {
        // That nobody watches is no error.
        self.changes.send((owner, todo.clone())).ok();
    }
}

impl Todos for Lists {
    async fn add(&self, ctx: &Context, title: String) -> Result<Todo, Status> {
        if title.trim().is_empty() {
            return Err(Status::invalid_argument("what is to be done has a title"));
        }
        let owner = owner(ctx.metadata())?;
        let mut owners = self.owners();
        let list = owners.entry(owner.clone()).or_default();
        if list.len() == LIMIT {
            return Err(Status::resource_exhausted(format!(
                "{owner} has {LIMIT} things to do"
            )));
        }
        let id = list.last().map_or(1, |last| last.id + 1);
        let todo = Todo {
            id,
            title,
            done: false,
        };
        list.push(todo.clone());
        self.changed(owner, &todo);
        Ok(todo)
    }

    async fn complete(&self, ctx: &Context, id: u32) -> Result<Todo, Status> {
        let owner = owner(ctx.metadata())?;
        let mut owners = self.owners();
        let list = owners.get_mut(&owner).map(Vec::as_mut_slice).unwrap_or_default();
        let todo = list.iter_mut().find(|todo| todo.id == id);
        let todo = todo.ok_or_else(|| Status::not_found(format!("{owner} has no {id} to do")))?;
        if std::mem::replace(&mut todo.done, true) {
            return Err(Status::failed_precondition(format!("{id} is done already")));
        }
        self.changed(owner, todo);
        Ok(todo.clone())
    }

    async fn list(&self, ctx: &Context, filter: Filter) -> Result<Streaming<Todo>, Status> {
        let owner = owner(ctx.metadata())?;
        let list = self.owners().get(&owner).cloned().unwrap_or_default();
        let wanted = |todo: &Todo| matches!(filter, Filter::All) || !todo.done;
        Ok(list.into_iter().filter(wanted).collect())
    }

    async fn import(&self, ctx: &Context, mut titles: Streaming<String>) -> Result<Imported, Status> {
        let (mut added, mut refused) = (0, 0);
        while let Some(title) = titles.next().await {
            match self.add(ctx, title?).await {
                Ok(_) => added += 1,
                Err(_) => refused += 1,
            }
        }
        Ok(Imported { added, refused })
    }

    async fn watch(&self, ctx: &Context, (): ()) -> Result<Streaming<Todo>, Status> {
        let owner = owner(ctx.metadata())?;
        // Both at one instant, so that nothing falls between.
        let (list, changes) = {
            let owners = self.owners();
            let list = owners.get(&owner).cloned().unwrap_or_default();
            (list, self.changes.subscribe())
        };
        let changes = futures::stream::unfold(changes, async |mut changes| match changes.recv().await {
            Ok(change) => Some((Ok(change), changes)),
            Err(RecvError::Lagged(lost)) => Some((
                Err(Status::data_loss(format!("{lost} changes were lost"))),
                changes,
            )),
            Err(RecvError::Closed) => None,
        });
        let own = changes.try_filter_map(move |(whose, todo)| ready(Ok((whose == owner).then_some(todo))));
        Ok(Streaming::new(futures::stream::iter(list).map(Ok).chain(own)))
    }
}

/// Whose list it is about.
fn owner(metadata: &Headers) -> Result<String, Status> {
    let owner = metadata.get("Owner").map(str::to_owned);
    owner.ok_or_else(|| Status::unauthenticated("say who you are, in the header Owner"))
}

/// Middleware: nobody gets past it who does not say who they are, and each call is told on the terminal.
fn doorkeeper(
    routes: Routes,
) -> impl tower::Service<Request, Response = Response, Error = Status, Future: Send> + Clone + Send + Sync {
    service_fn(move |request: Request| {
        let routes = routes.clone();
        async move {
            let owner = owner(request.context.metadata())?;
            let endpoint = request.endpoint.clone();
            let answer = routes.oneshot(request).await;
            let ended = answer.as_ref().map_or_else(Status::code, |_| Code::Ok);
            println!("           {owner} called {endpoint}: {ended}");
            answer
        }
    })
}

#[tokio::main]
async fn main() -> micro::Result<()> {
    micro_examples::log_from("warn");
    let service = Service::from_args(TodosClient::SERVICE)?
        .serve(TodosServer::new(Lists::new()))
        .layer(layer_fn(doorkeeper))
        .start()
        .await?;
    let todos = TodosClient::new(service.client()).with_service(service.name().to_owned());

    let stranger = todos.add("rob a bank".into()).await;
    println!("stranger   {}", refusal(stranger));

    let bread = todos.add("buy bread".into()).header("Owner", "Ada").await?;
    println!("added      {}: {}", bread.id, bread.title);
    let mut changes = todos.watch(()).header("Owner", "Ada").await?;
    watch(&mut changes, 1).await?; // what there is: from here on, each change is told
    let nameless = todos.add(" ".into()).header("Owner", "Ada").await;
    println!("refused    {}", refusal(nameless));

    let more = ["write a compiler", "", "walk the dog"].map(str::to_owned);
    let imported = todos
        .import(more.into_iter().collect())
        .header("Owner", "Ada")
        .await?;
    println!("imported   {}, and {} not", imported.added, imported.refused);

    todos.complete(bread.id).header("Owner", "Ada").await?;
    let again = todos.complete(bread.id).header("Owner", "Ada").await;
    println!("refused    {}", refusal(again));
    let others = todos.complete(bread.id).header("Owner", "Bob").await;
    println!("refused    {}", refusal(others));

    let mut open = todos.list(Filter::Open).header("Owner", "Ada").await?;
    while let Some(todo) = open.next().await {
        println!("open       {}", todo?.title);
    }
    watch(&mut changes, 3).await?;
    drop(changes); // which ends the handler
    service.shutdown().await?;
    Ok(())
}

async fn watch(changes: &mut Streaming<Todo>, count: usize) -> micro::Result<()> {
    for _ in 0..count {
        if let Some(todo) = changes.next().await {
            println!("watched    {:?}", todo?);
        }
    }
    Ok(())
}

/// What is said of a call that is refused.
fn refusal<T>(outcome: Result<T, Status>) -> String {
    outcome.map_or_else(|status| status.to_string(), |_| "nothing".to_owned())
}
