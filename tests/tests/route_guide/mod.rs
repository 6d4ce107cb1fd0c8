//! The scenario of gRPC's route guide, on each backend: the service is that of the examples, the traveller is the test.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use micro::testing::Testbed;
use micro::{Client, Code, Service, Streaming};
use micro_conformance::World;
use micro_conformance::service::ServiceBackends;
use micro_core::{Broker, Registry, Transport};
use micro_examples::routeguide::{
    FEATURES, Feature, Guide, Point, Rectangle, RouteGuideClient, RouteGuideServer, RouteNote,
};

use crate::testing::TestbedWorld;
use crate::worlds::{MemoryWorld, NatsWorld};

/// A test of that name, in the world that the expression opens.
macro_rules! travels {
    ($name:ident, $world:expr) => {
        #[test]
        fn $name() {
            micro_conformance::run("the route guide", async { travel(&$world).await });
        }
    };
}

travels!(on_memory, MemoryWorld::new());
travels!(on_memory_with_a_limit, MemoryWorld::with_limit(1 << 20));
travels!(on_nats, NatsWorld::start().await);
travels!(on_nats_in_envelopes, NatsWorld::start().await.in_envelopes());
travels!(on_a_testbed, TestbedWorld::new(Testbed::memory()));
travels!(on_a_testbed_on_nats, TestbedWorld::new(Testbed::nats().await));

async fn travel(world: &impl ServiceBackends) {
    let service = Service::builder(RouteGuideClient::SERVICE)
        .transport(World::<dyn Transport>::open(world).await)
        .broker(World::<dyn Broker>::open(world).await)
        .registry(World::<dyn Registry>::open(world).await)
        .serve(RouteGuideServer::new(Guide::default()))
        .start();
    let _service = service.await.unwrap();
    let client = Client::builder()
        .transport(World::<dyn Transport>::open(world).await)
        .registry(World::<dyn Registry>::open(world).await);
    let guide = RouteGuideClient::new(&client.build().unwrap());
    asks(&guide).await;
    looks_around(&guide).await;
    walks(&guide).await;
    chats(&guide).await;
}

fn known(index: usize) -> Point {
    let (_, north, east) = FEATURES[index];
    Point::of(north, east)
}

async fn asks(guide: &RouteGuideClient) {
    for (index, (name, ..)) in FEATURES.iter().enumerate() {
        let feature = guide.get_feature(known(index)).await.unwrap();
        assert_eq!(
            (feature.name.as_str(), feature.location),
            (*name, Some(known(index)))
        );
    }
    let nowhere = Point::of(0.0, 0.0);
    let feature = guide.get_feature(nowhere).await.unwrap();
    assert_eq!((feature.name.as_str(), feature.location), ("", Some(nowhere)));
    let refused = guide.get_feature(Point::of(90.1, 0.0)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

async fn looks_around(guide: &RouteGuideClient) {
    let whole = Rectangle {
        lo: Some(Point::of(-90.0, -180.0)),
        hi: Some(Point::of(90.0, 180.0)),
    };
    let found = guide.list_features(whole).await.unwrap().collect().await.unwrap();
    assert_eq!(found.len(), FEATURES.len());
    // The corners may come in any order.
    let prague = Rectangle {
        lo: Some(Point::of(50.2, 14.0)),
        hi: Some(Point::of(50.0, 15.0)),
    };
    let found: Vec<Feature> = guide
        .list_features(prague)
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    let names: Vec<_> = found.iter().map(|feature| feature.name.as_str()).collect();
    assert_eq!(names, ["Charles Bridge, Prague", "Prague Castle"]);
    let flat = guide
        .list_features(Rectangle { lo: None, hi: None })
        .await
        .unwrap();
    assert_eq!(flat.collect().await.unwrap_err().code(), Code::InvalidArgument);
}

async fn walks(guide: &RouteGuideClient) {
    let berlin_to_prague = [known(4), known(5), Point::of(50.5, 14.0), known(0)];
    let summary = guide
        .record_route(berlin_to_prague.into_iter().collect())
        .await
        .unwrap();
    assert_eq!((summary.point_count, summary.feature_count), (4, 3));
    assert!((280_000..290_000).contains(&summary.distance), "{summary:?}");
    let summary = guide.record_route(Streaming::from_iter([])).await.unwrap();
    assert_eq!((summary.point_count, summary.distance), (0, 0));
}

/// Each note is answered, before the next is written, by those that were left at its place.
async fn chats(guide: &RouteGuideClient) {
    let (writer, notes) = tokio::sync::mpsc::channel(1);
    let notes = futures::stream::unfold(notes, async |mut notes| Some((Ok(notes.recv().await?), notes)));
    let mut earlier = guide.route_chat(Streaming::new(notes)).await.unwrap();
    let note = |place: usize, message: &str| RouteNote {
        location: Some(known(place)),
        message: message.to_owned(),
    };
    for (place, message, expected) in [
        (0, "crowded", &[][..]),
        (1, "high", &[]),
        (0, "still crowded", &["crowded"]),
        (1, "windy", &["high"]),
        (0, "empty at last", &["crowded", "still crowded"]),
    ] {
        writer.send(note(place, message)).await.unwrap();
        for expected in expected {
            assert_eq!(earlier.next().await, Some(Ok(note(place, expected))));
        }
    }
    drop(writer);
    assert_eq!(earlier.next().await, None);
}
