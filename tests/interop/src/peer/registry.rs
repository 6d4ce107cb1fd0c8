//! The registry, command by command.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use micro::registry::{RegisterOptions, WatchOptions};
use micro::{Action, ErrorKind, ServiceRecord};
use serde::Deserialize;
use serde_json::json;

use super::drive::{Drive, None};
use super::{Peer, Task};

#[derive(Deserialize)]
struct RegisterArgs {
    service: ServiceRecord,
    #[serde(default)]
    ttl_ms: u64,
}

#[derive(Deserialize)]
struct NameArgs {
    name: String,
}

#[derive(Deserialize)]
struct WatchArgs {
    #[serde(rename = "as")]
    name: String,
    #[serde(default)]
    service: String,
}

pub(super) fn enter(drive: &mut Drive, peer: &Arc<Peer>) {
    let registry = peer.backends.registry().clone();
    drive.on("register", move |args: RegisterArgs| {
        let registry = registry.clone();
        async move { Ok(registry.register(&args.service, options(args.ttl_ms)).await?) }
    });
    let registry = peer.backends.registry().clone();
    drive.on("deregister", move |args: RegisterArgs| {
        let registry = registry.clone();
        async move { Ok(registry.deregister(&args.service).await?) }
    });
    let registry = peer.backends.registry().clone();
    drive.on("get", move |args: NameArgs| {
        let registry = registry.clone();
        // A Go registry answers an unknown service with nothing; ours says that it is not found.
        async move {
            match registry.get(&args.name).await {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
                found => Ok(found?),
            }
        }
    });
    let registry = peer.backends.registry().clone();
    drive.on("list", move |_: None| {
        let registry = registry.clone();
        async move { Ok(registry.list().await?) }
    });
    enter_watch(drive, peer);
}

fn enter_watch(drive: &mut Drive, peer: &Arc<Peer>) {
    let p = peer.clone();
    drive.on("watch", move |args: WatchArgs| {
        let peer = p.clone();
        async move { peer.watch(args).await }
    });
    let p = peer.clone();
    drive.on("unwatch", move |args: WatchArgs| {
        let stopped = p.listeners.take(&args.name).map(drop);
        async move { stopped }
    });
}

fn options(ttl_ms: u64) -> RegisterOptions {
    match ttl_ms {
        0 => RegisterOptions::default(),
        ms => RegisterOptions::default().with_ttl(Duration::from_millis(ms)),
    }
}

impl Peer {
    /// Tells of each change as an event.
    async fn watch(&self, args: WatchArgs) -> Result<()> {
        let options = match args.service.as_str() {
            "" => WatchOptions::default(),
            service => WatchOptions::default().with_service(service),
        };
        let mut watcher = self.backends.registry().watch(options).await?;
        let (emitter, name) = (self.emitter.clone(), args.name.clone());
        let told = tokio::spawn(async move {
            while let Ok(change) = watcher.recv().await {
                let action = match change.action {
                    Action::Create => "create",
                    Action::Update => "update",
                    Action::Delete => "delete",
                };
                emitter.emit(&name, json!({ "action": action, "service": change.service }));
            }
        });
        self.listeners.put(&args.name, Task(told));
        Ok(())
    }
}
