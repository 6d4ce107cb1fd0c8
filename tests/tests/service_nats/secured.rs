//! Logins and TLS: on each of the three plugins the same, by code, by flags and by the environment.

use micro::default_plugins;
use micro_conformance::nats_server::NatsServer;
use micro_core::plugin::{Login, Security};
use micro_core::registry::RegisterOptions;
use micro_core::{
    Broker, Error, ErrorKind, ListenOptions, Message, Node, PluginConfig, Registry, Result, ServiceRecord,
    SubscribeOptions, Transport,
};
use tokio::time::timeout;

use crate::LIMIT;

mod authority;
mod given;
mod logins;
mod operator;
mod page;
mod permissions;
mod tls;

const PLUGINS: [&str; 3] = ["transport", "broker", "registry"];

/// Opens one plugin, and uses it.
async fn open(plugin: &str, servers: &str, security: &Security) -> Result<()> {
    let config = PluginConfig::default().with_addresses(servers);
    let config = config.with_security(security.clone());
    let plugins = default_plugins();
    let opened = async {
        match plugin {
            "transport" => uses_transport(&*plugins.transport.open("nats", config).await?).await,
            "broker" => uses_broker(&*plugins.broker.open("nats", config).await?).await,
            _ => uses_registry(&*plugins.registry.open("nats", config).await?).await,
        }
    };
    timeout(LIMIT, opened).await.expect("an answer")
}

async fn uses_transport(transport: &dyn Transport) -> Result<()> {
    let listener = transport.listen(ListenOptions::default()).await?;
    listener.close().await
}

async fn uses_broker(broker: &dyn Broker) -> Result<()> {
    let mut events = broker.subscribe("topic", SubscribeOptions::default()).await?;
    broker.publish("topic", Message::new("event")).await?;
    events.recv().await.expect("an event").map(drop)
}

async fn uses_registry(registry: &dyn Registry) -> Result<()> {
    let record = ServiceRecord::new("service", "1").with_node(Node::new("node", "address"));
    registry.register(&record, RegisterOptions::default()).await?;
    registry.get("service").await.map(drop)
}

/// Each plugin gets in.
async fn lets_in(servers: &str, security: &Security) {
    for plugin in PLUGINS {
        if let Err(error) = open(plugin, servers, security).await {
            panic!("{plugin} with {security:?}: {error:?}");
        }
    }
}

/// Each plugin is refused at the start, with an error of this kind that has these words, and nothing secret.
pub(crate) async fn refuses(servers: &str, security: &Security, kind: ErrorKind, words: &[&str]) {
    for plugin in PLUGINS {
        let error = open(plugin, servers, security).await.expect_err("a refusal");
        says(&error, kind, words);
    }
}

/// Each plugin is refused because of who we are, or claim to be, or of who the server is.
async fn denies(servers: &str, security: &Security, words: &[&str]) {
    refuses(servers, security, ErrorKind::PermissionDenied, words).await;
}

fn says(error: &Error, kind: ErrorKind, words: &[&str]) {
    let text = error.to_string();
    assert_eq!(error.kind(), kind, "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} in {text}");
    }
    let all = format!("{text} {error:?}");
    assert!(!all.contains("hush") && !all.contains("SUA"), "{all}");
}

fn by(login: Login) -> Security {
    Security::default().with_login(login)
}

async fn server(config: &str) -> NatsServer {
    NatsServer::builder().config(config).start().await
}
