//! Credentials and subjects that the server refuses.

use micro::ServiceBuilder;
use micro_conformance::nats_server::NatsServer;
use micro_core::{Error, ErrorKind};
use tokio::time::timeout;

use crate::{LIMIT, double, nothing, service};

const USERS: &str = r#"authorization {
  users = [
    { user: ada, password: secret }
    { user: bob, password: secret, permissions: { subscribe: { deny: ["secret.>"] }, publish: { deny: ["secret.>"] } } }
    { user: eve, password: secret, permissions: { subscribe: { deny: ["micro.>", "micro.nats.>"] } } }
  ]
}"#;

/// Where the user of that name connects.
fn login(server: &NatsServer, user: &str, password: &str) -> String {
    format!("nats://{user}:{password}@{}", server.address())
}

/// What a service says that cannot start.
async fn refused(service: ServiceBuilder) -> Error {
    let start = timeout(LIMIT, service.start()).await.expect("an answer");
    start.expect_err("a refusal")
}

#[tokio::test]
async fn a_wrong_credential_is_refused_at_the_start() {
    let server = NatsServer::builder().config(USERS).start().await;
    for servers in [
        login(&server, "ada", "wrong-password"),
        login(&server, "nobody", "secret"),
        server.address(),
    ] {
        let error = refused(service("test", &servers)).await;
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(
            text.contains(&server.address()) && !text.contains("wrong-password"),
            "{text}"
        );
    }
    let service = service("test", &login(&server, "ada", "secret"))
        .start()
        .await
        .unwrap();
    assert_eq!(double(service.client(), 21).await, Ok(42));
}

#[tokio::test]
async fn a_denied_subject_is_named_at_the_start() {
    let server = NatsServer::builder().config(USERS).start().await;
    let bob = login(&server, "bob", "secret");
    let error = refused(service("test", &bob).subscribe("secret.plans", nothing)).await;
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
    assert!(error.to_string().contains("secret.plans"), "{error}");
    let address = "secret.address".parse().unwrap();
    let error = refused(service("test", &bob).address(address)).await;
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
    assert!(error.to_string().contains("secret.address"), "{error}");
    let error = refused(service("test", &login(&server, "eve", "secret"))).await;
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
    assert!(error.to_string().contains("micro."), "{error}");
    let service = service("test", &bob)
        .subscribe("public.plans", nothing)
        .start()
        .await
        .unwrap();
    assert_eq!(double(service.client(), 21).await, Ok(42));
}
