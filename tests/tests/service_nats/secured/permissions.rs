//! The least permissions, as `docs/security.md` has them: they are enough, and each is needed.

use std::fmt;

use futures::StreamExt;
use micro::{BackendFlags, Backends, Service};
use micro_conformance::nats_server::NatsServer;
use micro_core::plugin::Secret;
use micro_core::registry::WatchOptions;
use micro_core::{Action, Code, ErrorKind, Json, SubscribeOptions};
use micro_examples::{CountRequest, English, Greeted, GreeterClient, GreeterServer, HelloRequest};
use tokio::time::timeout;

use super::{page, server};
use crate::LIMIT;

/// What a role met.
struct Met {
    role: &'static str,
    denied: bool,
    text: String,
}

impl fmt::Debug for Met {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.role, self.text)
    }
}

type Role<T> = Result<T, Met>;

fn met(role: &'static str) -> impl Fn(micro_core::Error) -> Met {
    move |error| Met {
        role,
        denied: error.kind() == ErrorKind::PermissionDenied,
        text: error.to_string(),
    }
}

fn ended(role: &'static str) -> impl Fn(micro_core::Status) -> Met {
    move |status| Met {
        role,
        denied: status.code() == Code::PermissionDenied,
        text: status.to_string(),
    }
}

/// The flags of a role, as the page has them.
fn flags(role: &str, server: &NatsServer) -> Vec<String> {
    let backends = ["transport", "broker", "registry"].map(|kind| {
        [
            format!("--{kind}=nats"),
            format!("--{kind}_address={}", server.address()),
        ]
    });
    let login = [
        format!("--nats_user={role}"),
        "--nats_password=change-me".to_owned(),
        format!("--nats_inbox_prefix=_INBOX.{role}"),
    ];
    backends.into_iter().flatten().chain(login).collect()
}

async fn backends(role: &'static str, server: &NatsServer) -> Role<Backends> {
    let mut chosen = BackendFlags::default();
    for (plugin, address) in [
        (&mut chosen.transport, &mut chosen.transport_address),
        (&mut chosen.broker, &mut chosen.broker_address),
        (&mut chosen.registry, &mut chosen.registry_address),
    ] {
        (*plugin, *address) = (Some("nats".to_owned()), Some(server.address().into()));
    }
    chosen.nats.nats_user = Some(role.to_owned());
    chosen.nats.nats_password = Some(Secret::from("change-me"));
    chosen.nats.nats_inbox_prefix = Some(format!("_INBOX.{role}"));
    Backends::from_flags(role, chosen).await.map_err(met(role))
}

async fn greeter(server: &NatsServer) -> Role<Service> {
    let arguments = std::iter::once("greeter-server".to_owned()).chain(flags("greeter", server));
    let service = Service::try_from_args("greeter", arguments).unwrap();
    let service = service.serve(GreeterServer::new(English)).start().await;
    service.map_err(met("greeter"))
}

async fn calls(server: &NatsServer) -> Role<()> {
    let caller = backends("caller", server).await?;
    let greeter = GreeterClient::new(caller.client());
    let name = "Ada".to_owned();
    let reply = greeter
        .hello(HelloRequest { name })
        .await
        .map_err(ended("caller"))?;
    assert_eq!(reply.message, "Hello, Ada!");
    let mut numbers = greeter
        .count(CountRequest { to: 3 })
        .await
        .map_err(ended("caller"))?;
    let mut sum = 0;
    while let Some(number) = numbers.next().await {
        sum += number.map_err(ended("caller"))?;
    }
    assert_eq!(sum, 6);
    Ok(())
}

async fn hears_what_is_published(server: &NatsServer) -> Role<()> {
    let subscriber = backends("subscriber", server).await?;
    let publisher = backends("publisher", server).await?;
    let options = SubscribeOptions::default().with_queue("workers");
    let subscribed = subscriber.broker().subscribe("greetings", options).await;
    let mut events = subscribed.map_err(met("subscriber"))?;
    let event = Json(Greeted { name: "Ada".into() });
    let published = publisher.publish_to("greetings", &event).await;
    published.map_err(met("publisher"))?;
    publisher.publisher().flush().await.map_err(met("publisher"))?;
    let event = events.recv().await.expect("an event");
    event.map(drop).map_err(met("subscriber"))
}

async fn looks_up(server: &NatsServer) -> Role<()> {
    let reader = backends("reader", server).await?;
    let registry = reader.registry();
    let changes = registry.watch(WatchOptions::default()).await;
    let _changes = changes.map_err(met("reader"))?;
    let found = registry.get("greeter").await.map_err(met("reader"))?;
    assert_eq!(found[0].nodes.len(), 1);
    assert_eq!(registry.list().await.map_err(met("reader"))?.len(), 1);
    Ok(())
}

/// All roles, in one run.
async fn run(config: &str) -> Role<()> {
    let server = server(config).await;
    let service = greeter(&server).await?;
    assert!(service.health().is_ok());
    calls(&server).await?;
    hears_what_is_published(&server).await?;
    looks_up(&server).await?;
    let stopped = service.shutdown().await.map_err(met("greeter"))?;
    assert_eq!(stopped.requests_cut, 0);
    Ok(())
}

async fn in_time(config: &str) -> Role<()> {
    timeout(LIMIT, run(config)).await.expect("an end")
}

/// What is refused at the start, or at a flush, where this process is not so busy that it hears of that later.
async fn refusal(config: &str) -> Option<Met> {
    for _ in 0..5 {
        if let Err(met) = in_time(config).await {
            return Some(met);
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_greeter_runs_with_the_least_permissions() {
    in_time(page::permissions()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_the_least_permissions_is_needed_and_named_when_it_is_missing() {
    let subjects = page::subjects();
    assert!(subjects.len() > 15, "{subjects:?}");
    let tried = futures::stream::iter(subjects).map(async |(user, subject, offset)| {
        let met = refusal(&page::without(offset, subject)).await;
        let met = met.unwrap_or_else(|| panic!("{user} does not need {subject}"));
        let named = subject.trim_end_matches('>');
        assert!(
            met.denied && met.role == user,
            "{user} without {subject}: {met:?}"
        );
        assert!(met.text.contains(named), "{user} without {subject}: {met:?}");
    });
    tried.buffer_unordered(4).collect::<Vec<()>>().await;
}

#[tokio::test]
async fn a_service_that_leaves_is_seen_by_whoever_may_only_read() {
    let server = server(page::permissions()).await;
    let service = greeter(&server).await.unwrap();
    let reader = backends("reader", &server).await.unwrap();
    let mut changes = reader.registry().watch(WatchOptions::default()).await.unwrap();
    drop(service);
    let change = timeout(LIMIT, changes.recv()).await.expect("a change").unwrap();
    assert_eq!(
        (change.action, &*change.service.name),
        (Action::Delete, "greeter")
    );
}

#[test]
fn every_command_line_of_the_page_is_understood() {
    let lines = page::command_lines();
    assert!(lines.len() >= 5, "{lines:?}");
    for line in lines {
        // A password stands in the environment, which this process has not got.
        let password = line.iter().any(|word| word.starts_with("--nats_user"));
        let arguments = ["greeter-server"].into_iter().chain(line.iter().copied());
        let arguments = arguments.chain(password.then_some("--nats_password=change-me"));
        drop(Service::try_from_args("greeter", arguments).unwrap());
    }
}
