//! A transport that takes less in a message than travels together.

use super::*;

/// How many bytes a message of it may take.
const LIMIT: usize = 2_000;

/// So many are ready at once, in both directions, that any pack but the first ones is too large.
#[tokio::test]
async fn items_that_are_too_large_together_travel_alone() {
    let transport = MemoryTransport::new().with_max_message_size(LIMIT);
    let world = World::on(Arc::new(transport), ClientOptions::default());
    let echo = |_: Context, items: Streaming<Json<String>>| async { Ok(items) };
    let _server = world
        .serve("a", Router::new().bidi_stream("Test.Echo", echo))
        .await;
    let items: Vec<_> = (0..1_000).map(|n| Json(format!("{n:0>200}"))).collect();
    let call =
        world
            .client
            .bidi_stream::<_, Json<String>>("test", "Test.Echo", items.iter().cloned().collect());
    let echoed = call.await.unwrap().collect().await.unwrap();
    assert_eq!(echoed.len(), items.len());
    assert!(echoed == items, "in their order");
}

/// An item that is too large by itself is what it was: an error of its stream.
#[tokio::test]
async fn an_item_that_is_too_large_alone_ends_its_stream() {
    let transport = MemoryTransport::new().with_max_message_size(LIMIT);
    let world = World::on(Arc::new(transport), ClientOptions::default());
    let make = |_: Context, Json(sizes): Json<Vec<usize>>| async {
        Ok(sizes
            .into_iter()
            .map(|size| Json("x".repeat(size)))
            .collect::<Streaming<_>>())
    };
    let _server = world
        .serve("a", Router::new().server_stream("Test.Make", make))
        .await;
    let call = world.client.server_stream::<_, Json<String>>(
        "test",
        "Test.Make",
        Json(vec![900, 900, 900, 900, LIMIT, 900]),
    );
    let mut made = call.await.unwrap();
    for _ in 0..4 {
        assert_eq!(made.next().await.unwrap().unwrap().0.len(), 900);
    }
    assert_eq!(
        made.next().await.unwrap().unwrap_err().code(),
        Code::ResourceExhausted
    );
}
