//! Services of this process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use micro::{
    Address, Context, Json, Proto, Router, Service, ServiceBuilder, Status, Streaming, SubscriberOptions,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Peer;
use super::body::{self, Kind};
use super::drive::Drive;
use super::guide;
use super::handlers::{self, HelloRequest};
use super::shop::{OnePrice, ShopServer};
use super::talk::{self, Line};

#[derive(Default, Deserialize)]
#[serde(default)]
struct ServeArgs {
    #[serde(rename = "as")]
    name_here: String,
    name: String,
    version: String,
    id: String,
    address: String,
    metadata: BTreeMap<String, String>,
    interval_ms: u64,
    topics: Vec<TopicArgs>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TopicArgs {
    topic: String,
    queue: String,
    kind: Kind,
}

pub(super) fn enter(drive: &mut Drive, peer: &Arc<Peer>) {
    let p = peer.clone();
    drive.on("serve", move |args: ServeArgs| {
        let peer = p.clone();
        async move { peer.serve(args).await }
    });
    let p = peer.clone();
    drive.on("stop", move |args: ServeArgs| {
        let service = p.services.take(&args.name_here);
        async move {
            service?.shutdown().await?;
            Ok(())
        }
    });
}

impl Peer {
    /// Starts a service; when it answers, it is registered.
    async fn serve(&self, args: ServeArgs) -> Result<Value> {
        let mut builder = Service::builder(&args.name)
            .transport_plugin(self.config.transport.clone())
            .broker_plugin(self.config.broker.clone())
            .registry_plugin(self.config.registry.clone())
            .serve(self.router(&args.name_here));
        builder = self.identify(builder, &args)?;
        for topic in &args.topics {
            builder = self.subscriber(builder, &args.name_here, topic);
        }
        let service = builder.start().await?;
        let told = json!({ "address": service.address(), "id": service.id() });
        self.services.put(&args.name_here, service);
        Ok(told)
    }

    fn router(&self, name_here: &str) -> Router {
        let (emitter, event) = (self.emitter.clone(), format!("{name_here}.ended"));
        let chat = move |_: Context, lines: Streaming<Json<Line>>| {
            let answers = talk::chat(lines, emitter.clone(), event.clone());
            async move { Ok::<_, Status>(answers) }
        };
        handlers::router(self.backends.client().clone())
            .merge(ShopServer::new(OnePrice).into())
            .merge(guide::server(
                self.emitter.clone(),
                format!("{name_here}.recorded"),
            ))
            .bidi_stream("Talk.Chat", chat)
    }

    fn identify(&self, mut builder: ServiceBuilder, args: &ServeArgs) -> Result<ServiceBuilder> {
        if !args.version.is_empty() {
            builder = builder.version(&args.version);
        }
        if !args.id.is_empty() {
            // As go-micro makes it of an id that it is given.
            builder = builder.id(format!("{}-{}", args.name, args.id));
        }
        if !args.address.is_empty() {
            builder = builder.address(Address::new(args.address.clone())?);
        }
        if args.interval_ms > 0 {
            builder = builder.register_interval(Duration::from_millis(args.interval_ms));
        }
        for (key, value) in &args.metadata {
            builder = builder.metadata(key, value);
        }
        Ok(builder)
    }

    /// Tells of each event that was decoded for it.
    fn subscriber(&self, builder: ServiceBuilder, name_here: &str, args: &TopicArgs) -> ServiceBuilder {
        let mut options = SubscriberOptions::default();
        if !args.queue.is_empty() {
            options = options.with_queue(&args.queue);
        }
        let (emitter, name, topic) = (
            self.emitter.clone(),
            format!("{name_here}.event"),
            args.topic.clone(),
        );
        let tell = move |context: Context, body: Value| {
            let metadata = body::shown_headers(context.metadata());
            emitter.emit(
                &name,
                json!({ "topic": topic, "metadata": metadata, "body": body }),
            );
            async { Ok::<_, Status>(()) }
        };
        match args.kind {
            Kind::Pb => builder.subscribe_with(
                &args.topic,
                options,
                move |context, Proto(text): Proto<String>| tell(context, text.into()),
            ),
            _ => builder.subscribe_with(
                &args.topic,
                options,
                move |context, Json(event): Json<HelloRequest>| tell(context, json!(event)),
            ),
        }
    }
}
