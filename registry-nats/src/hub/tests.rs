use futures::{FutureExt, StreamExt};

use super::*;

const TTL: Duration = Duration::from_secs(90);

fn change(action: Action, service: &str, id: &str) -> Change {
    Change::new(
        action,
        ServiceRecord::new(service, "1").with_node(Node::new(id, "x")),
    )
}

fn next(changes: &mut queue::Receiver<Result<Change>>) -> Option<Result<Change>> {
    changes
        .next()
        .now_or_never()
        .flatten()
        .map(|item| item.and_then(|change| change))
}

#[tokio::test]
async fn the_first_sight_is_a_create_and_later_ones_are_updates() {
    let hub = Hub::new(TTL);
    let mut changes = hub.follow(WatchOptions::default());
    hub.take(change(Action::Create, "a", "n"));
    hub.take(change(Action::Create, "a", "n"));
    hub.take(change(Action::Delete, "a", "n"));
    hub.take(change(Action::Update, "a", "n"));
    for action in [Action::Create, Action::Update, Action::Delete, Action::Create] {
        assert_eq!(next(&mut changes).unwrap().unwrap().action, action);
    }
    assert!(next(&mut changes).is_none());
}

#[tokio::test]
async fn a_watcher_of_one_service_hears_of_no_other() {
    let hub = Hub::new(TTL);
    let mut changes = hub.follow(WatchOptions::default().with_service("b"));
    hub.take(change(Action::Create, "a", "n"));
    hub.take(change(Action::Create, "b", "m"));
    assert_eq!(next(&mut changes).unwrap().unwrap().service.name, "b");
    assert!(next(&mut changes).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_silent_node_ages_out_and_is_told() {
    let hub = Hub::new(TTL);
    let mut changes = hub.follow(WatchOptions::default());
    hub.take(change(Action::Create, "a", "n"));
    next(&mut changes);
    hub.found(&Query::List, &[change(Action::Create, "b", "m").service], None);
    tokio::time::advance(TTL).await;
    hub.expire(Instant::now());
    let gone: Vec<_> = std::iter::from_fn(|| next(&mut changes))
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        gone,
        [change(Action::Delete, "a", "n"), change(Action::Delete, "b", "m")]
    );
}

#[tokio::test]
async fn what_is_complete_is_known_until_announcements_may_be_missing() {
    let (hub, query) = (Hub::new(TTL), Query::Get("a".into()));
    hub.take(change(Action::Create, "a", "n"));
    let knows = |query: &Query| (hub.known(query).nodes.len(), hub.known(query).all);
    assert_eq!(knows(&query), (1, false));
    let epoch = hub.epoch();
    hub.found(&query, &[], Some(epoch));
    assert_eq!(knows(&query), (1, true));
    assert_eq!(knows(&Query::List), (1, false));
    assert_eq!(knows(&Query::Get("b".into())), (0, false));

    let mut changes = hub.follow(WatchOptions::default());
    hub.interrupt(|| Error::lagged(3));
    assert_eq!(next(&mut changes).unwrap().unwrap_err().lost(), Some(3));
    hub.found(&query, &[], Some(epoch));
    assert_eq!(knows(&query), (1, false));
}

#[tokio::test]
async fn a_watcher_that_is_gone_is_forgotten() {
    let hub = Hub::new(TTL);
    drop(hub.follow(WatchOptions::default()));
    hub.take(change(Action::Create, "a", "n"));
    assert!(hub.state.lock().watchers.is_empty());
}

#[tokio::test]
async fn nodes_beyond_the_most_are_told_and_not_remembered() {
    let hub = Hub::new(TTL);
    for number in 0..MAX_NODES {
        hub.take(change(Action::Create, "a", &number.to_string()));
    }
    let mut changes = hub.follow(WatchOptions::default());
    for _ in 0..2 {
        // The second time, one that is remembered would be an update.
        hub.take(change(Action::Create, "b", "one more"));
        let told = next(&mut changes).unwrap().unwrap();
        assert_eq!((told.action, &*told.service.name), (Action::Create, "b"));
    }
}
