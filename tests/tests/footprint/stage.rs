//! Both ends of a call.

use micro_conformance::World;
use micro_core::registry::RegisterOptions;
use micro_core::{
    Client, ClientOptions, Context, Json, ListenOptions, Metadata, Node, Registry, Router, Server,
    ServerOptions, ServiceRecord, Status, Streaming, Transport,
};

/// A client and a server, each in a process of its own.
pub(crate) struct Stage {
    pub(crate) client: Client,
    server: Server,
    _registry: std::sync::Arc<dyn Registry>,
}

impl Stage {
    pub(crate) async fn open<W: World<dyn Transport> + World<dyn Registry>>(world: &W) -> Self {
        Stage::said(world, Clone::clone).await
    }

    /// Where the registry says that of the server.
    pub(crate) async fn said<W: World<dyn Transport> + World<dyn Registry>>(
        world: &W,
        metadata: fn(&Metadata) -> Metadata,
    ) -> Self {
        let transport = World::<dyn Transport>::open(world).await;
        let listener = transport.listen(ListenOptions::default()).await.unwrap();
        let server = Server::serve(listener, router(), ServerOptions::default());
        let mut node = Node::new("node", server.address().as_str());
        node.metadata = metadata(server.metadata());
        let record = ServiceRecord::new("test", "1").with_node(node);
        let registry = World::<dyn Registry>::open(world).await;
        registry
            .register(&record, RegisterOptions::default())
            .await
            .unwrap();
        let client = Client::builder()
            .transport(World::<dyn Transport>::open(world).await)
            .registry(World::<dyn Registry>::open(world).await)
            .options(ClientOptions::default())
            .build()
            .unwrap();
        Stage {
            client,
            server,
            _registry: registry,
        }
    }

    /// Waits until the server has nothing to do.
    pub(crate) async fn until_idle(&self) {
        while self.server.in_flight() > 0 {
            tokio::task::yield_now().await;
        }
    }
}

fn router() -> Router {
    Router::new()
        .unary("Test.Double", |_: Context, Json(number): Json<u64>| async move {
            Ok(Json(number * 2))
        })
        .unary("Test.Never", |_: Context, _: Json<u64>| {
            std::future::pending::<Result<Json<u64>, Status>>()
        })
        .server_stream("Test.Count", |_: Context, Json(to): Json<u64>| async move {
            Ok((0..to).map(Json).collect::<Streaming<_>>())
        })
}
