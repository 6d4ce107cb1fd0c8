use std::time::Duration;

use micro_conformance::nats_server::NatsServer;
use micro_core::PluginConfig;

use super::*;

async fn groups(server: &NatsServer) -> Groups {
    let config = PluginConfig::default().with_addresses(&server.url());
    let connection = Connection::open(&config).await.unwrap();
    Groups::new(&connection, &Clock::new(Duration::from_secs(15)))
}

fn sign(home: &str) -> Sign<'_> {
    Sign { epoch: 0, home }
}

#[tokio::test]
async fn a_process_is_forgotten_once_nobody_has_a_socket_to_it() {
    let server = NatsServer::start().await;
    let groups = groups(&server).await;
    let kept = groups.join(sign("_INBOX.kept"));
    drop(groups.join(sign("_INBOX.left")));
    assert_eq!(groups.by_home.lock().len(), 2);
    groups.look_around();
    let left: Vec<_> = groups.by_home.lock().keys().cloned().collect();
    assert_eq!(left, ["_INBOX.kept"]);
    drop(kept);
    groups.look_around();
    assert!(groups.by_home.lock().is_empty());
}

#[tokio::test]
async fn whoever_dials_again_before_that_joins_the_same_group() {
    let server = NatsServer::start().await;
    let groups = groups(&server).await;
    let first = Arc::as_ptr(&groups.join(sign("_INBOX.other")));
    assert_eq!(Arc::as_ptr(&groups.join(sign("_INBOX.other"))), first);
}
