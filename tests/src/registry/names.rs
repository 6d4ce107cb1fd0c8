//! What is refused.

use micro_core::registry::{RegisterOptions, WatchOptions};
use micro_core::{ErrorKind, Node, ServiceRecord};

use super::RegistryWorld;
use super::records::{ids, only, register, service};

/// A name that is none is refused wherever one is asked for; the registry goes on.
pub async fn an_illegal_name_is_invalid_argument(world: &RegistryWorld) {
    let registry = world.open().await;
    let long = "x".repeat(256);
    for name in ["", " ", "a b", ".a", "a.", "a..b", "a\n", "\0", "a.*", ">", &long] {
        let register = registry
            .register(&service(name, "node"), RegisterOptions::default())
            .await;
        let watch = registry.watch(WatchOptions::default().with_service(name)).await;
        let errors = [
            register.unwrap_err(),
            watch.unwrap_err(),
            registry.get(name).await.unwrap_err(),
        ];
        let kinds = errors.each_ref().map(|error| error.kind());
        assert_eq!(kinds, [ErrorKind::InvalidArgument; 3], "{name:?}: {errors:?}");
    }
    register(&registry, &service("greeter", "node")).await;
    assert_eq!(ids(&registry, "greeter").await, only("1", &["node"]));
}

/// A record without nodes, or with one that has no id or no address, is refused.
pub async fn a_record_that_nobody_could_call_is_invalid_argument(world: &RegistryWorld) {
    let registry = world.open().await;
    let record = ServiceRecord::new("greeter", "1");
    for record in [
        record.clone(),
        record.clone().with_node(Node::new("", "address")),
        record.clone().with_node(Node::new("node", "")),
        service("greeter", "good").with_node(Node::new("bad", "")),
    ] {
        let options = RegisterOptions::default();
        let error = registry.register(&record, options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{record:?}");
    }
    assert_eq!(registry.list().await.unwrap(), []);
}
