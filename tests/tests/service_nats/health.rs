//! What goes wrong after the start, and shows in the health of a service.

use micro::{Health, Service};
use micro_conformance::nats_server::NatsServer;
use tokio::time::timeout;

use crate::{LIMIT, caller, double, elsewhere, nothing, service};

/// Waits until the health of a service is as it should be; its reasons.
async fn health_that(service: &Service, is: impl Fn(&str) -> bool) -> String {
    let changed = async {
        loop {
            let said = match service.health() {
                Health::Degraded { reasons } => reasons.join("\n"),
                other => other.to_string(),
            };
            if is(&said) {
                return said;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, changed).await.expect("another health")
}

pub(crate) fn denying(subject: &str) -> String {
    format!(
        "authorization {{ users: [ {{ user: ada, password: hush, permissions: {{ subscribe: {{ deny: [{subject:?}] }} }} }} ] }}"
    )
}

pub(crate) fn login(server: &NatsServer) -> String {
    format!("nats://ada:hush@{}", server.address())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_denied_later_shows_in_health() {
    let mut server = NatsServer::builder().config(&denying("other")).start().await;
    let subscribed = service("test", &login(&server)).subscribe("numbers", nothing);
    let service = subscribed.start().await.unwrap();
    assert!(service.health().is_ok());
    server.set_config(&denying("numbers"));
    server.restart().await;
    let said = health_that(&service, |said| said.contains("hears nothing")).await;
    assert!(said.contains("subscribe to \"numbers\""), "{said}");
    server.set_config(&denying("other"));
    server.restart().await;
    health_that(&service, |said| said == "ok").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_denied_later_shows_in_health() {
    let mut server = NatsServer::builder().config(&denying("other")).start().await;
    let address = "test.address".parse().unwrap();
    let service = service("test", &login(&server))
        .address(address)
        .start()
        .await
        .unwrap();
    server.set_config(&denying("test.address"));
    server.restart().await;
    let said = health_that(&service, |said| said.contains("no calls come in")).await;
    assert!(said.contains("subscribe to \"test.address\""), "{said}");
    server.set_config(&denying("other"));
    server.restart().await;
    let caller = caller(&format!("nats://ada:hush@{}", elsewhere(&server))).await;
    let answered = async { while double(caller.client(), 21).await != Ok(42) {} };
    timeout(LIMIT, answered).await.expect("an answer");
    health_that(&service, |said| said == "ok").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_refused_later_shows_in_health() {
    let mut server = NatsServer::builder().config(&denying("other")).start().await;
    let refreshed = service("test", &login(&server)).register_interval(std::time::Duration::from_millis(200));
    let service = refreshed.start().await.unwrap();
    server.set_config("authorization { user: ada, password: another }");
    server.restart().await;
    let said = health_that(&service, |said| said.contains("refuses our login")).await;
    assert!(
        said.contains("authorization violation") && !said.contains("hush"),
        "{said}"
    );
    server.set_config(&denying("other"));
    server.restart().await;
    health_that(&service, |said| said == "ok").await;
}
