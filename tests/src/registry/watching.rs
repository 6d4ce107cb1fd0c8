//! Who watches, sees what changes.

use std::collections::BTreeSet;
use std::time::Duration;

use micro_core::registry::{RegisterOptions, WatchOptions};
use micro_core::{Action, ErrorKind};

use super::RegistryWorld;
use super::records::{node_ids, register, see, service, watch};
use crate::value::attempt;

const REGISTERED: &[Action] = &[Action::Create, Action::Update];

/// What is registered and taken back is seen by other instances.
pub async fn a_watcher_sees_registration_and_deregistration(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let mut watcher = watch(&here, "greeter").await;
    let record = service("greeter", "node");
    register(&there, &record).await;
    assert_eq!(see(&mut watcher, &[Action::Create]).await.service, record);
    there.deregister(&record).await.unwrap();
    let gone = see(&mut watcher, &[Action::Delete]).await.service;
    assert_eq!((gone.name.as_str(), gone.version.as_str()), ("greeter", "1"));
    assert_eq!(node_ids(&gone), ["node"]);
}

/// A node registered again, with something new, is seen as it is now.
pub async fn a_watcher_sees_a_refresh(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let mut record = service("greeter", "node");
    register(&there, &record).await;
    let mut watcher = watch(&here, "greeter").await;
    record.nodes[0].address = "elsewhere".to_owned();
    register(&there, &record).await;
    while see(&mut watcher, REGISTERED).await.service != record {}
}

/// A node that ages out is seen to go, as if it had been taken back.
pub async fn a_watcher_sees_a_node_age_out(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let mut watcher = watch(&here, "greeter").await;
    let options = RegisterOptions::default().with_ttl(Duration::from_millis(500));
    there
        .register(&service("greeter", "node"), options)
        .await
        .unwrap();
    let gone = see(&mut watcher, &[Action::Delete]).await.service;
    assert_eq!((gone.name.as_str(), gone.version.as_str()), ("greeter", "1"));
    assert_eq!(node_ids(&gone), ["node"]);
    let error = here.get("greeter").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

/// Other services are none of its business.
pub async fn a_watcher_of_one_service_sees_no_other(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let mut watcher = watch(&here, "greeter").await;
    for name in ["other", "greeter2", "greeter.more", "Greeter"] {
        register(&there, &service(name, "node")).await;
        there.deregister(&service(name, "node")).await.unwrap();
    }
    register(&there, &service("greeter", "node")).await;
    assert_eq!(watcher.recv().await.unwrap().service.name, "greeter");
}

/// Whatever happens at the instant when `watch` returned is seen: a hundred times, without a miss.
pub async fn a_ready_watcher_sees_the_next_change(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    for index in 0..100 {
        let record = service(&format!("service-{index}"), "node");
        let mut watcher = watch(&here, &record.name).await;
        register(&there, &record).await;
        assert_eq!(see(&mut watcher, &[Action::Create]).await.service, record);
    }
}

/// Watchers of one instance and of several, of one service and of all, do not take changes from each other.
pub async fn every_watcher_sees_each_change(world: &RegistryWorld) {
    let registries = [world.open().await, world.open().await, world.open().await];
    let mut watchers = Vec::new();
    for registry in &registries {
        watchers.push(watch(registry, "greeter").await);
        watchers.push(registry.watch(WatchOptions::default()).await.unwrap());
    }
    for index in 0..20 {
        let node = format!("node-{index}");
        register(&registries[0], &service("greeter", &node)).await;
    }
    for watcher in &mut watchers {
        for index in 0..20 {
            let change = see(watcher, &[Action::Create]).await;
            assert_eq!(node_ids(&change.service), [format!("node-{index}")]);
        }
    }
}

/// A watcher that is dropped stops, and costs the others of its instance nothing.
pub async fn a_dropped_watcher_disturbs_nobody(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let mut stays = watch(&here, "greeter").await;
    for index in 0..20 {
        let leaves = watch(&here, "greeter").await;
        let node = format!("node-{index}");
        register(&there, &service("greeter", &node)).await;
        drop(leaves);
        let change = see(&mut stays, &[Action::Create]).await;
        assert_eq!(node_ids(&change.service), [node]);
    }
}

/// A watcher whose queue was full is told that changes are missing.
pub async fn a_slow_watcher_is_told_that_it_lost_changes(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let options = WatchOptions::default().with_capacity(4);
    let mut slow = here.watch(options).await.unwrap();
    let mut witness = watch(&here, "greeter").await;
    for index in 0..100 {
        register(&there, &service("greeter", &format!("node-{index}"))).await;
        see(&mut witness, &[Action::Create]).await;
    }
    let (mut seen, mut lost) = (0, 0);
    while seen + lost < 100 {
        match slow.recv().await {
            Ok(_) => seen += 1,
            Err(error) => lost += error.lost().expect("a count"),
        }
    }
    assert!(lost > 0);
}

/// A dropped `recv` future takes no change with it.
pub async fn a_cancelled_recv_loses_no_change(world: &RegistryWorld) {
    let (here, there) = (world.open().await, world.open().await);
    let mut watcher = watch(&here, "greeter").await;
    let registering = tokio::spawn(async move {
        for index in 0..100 {
            register(&there, &service("greeter", &format!("node-{index}"))).await;
        }
        there
    });
    let mut seen = BTreeSet::new();
    while seen.len() < 100 {
        if let Some(change) = attempt(watcher.recv()).await {
            seen.extend(node_ids(&change.unwrap().service));
        }
    }
    registering.await.unwrap();
}
