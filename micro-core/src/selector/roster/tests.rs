//! A roster by itself, on a paused clock.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn record(nodes: &[&str]) -> ServiceRecord {
    nodes
        .iter()
        .fold(ServiceRecord::new("test", "1"), |record, node| {
            record.with_node(Node::new(*node, format!("address-{node}")))
        })
}

fn roster(nodes: &[&str]) -> Roster {
    let mut roster = Roster::default();
    roster.replace(vec![record(nodes)]);
    roster
}

fn open(roster: &mut Roster) -> String {
    let open = roster.open().iter();
    let mut ids: Vec<_> = open.map(|target| target.node().id.clone()).collect();
    ids.sort();
    ids.concat()
}

fn pick(roster: &Roster, node: &str) -> Pick {
    let all = roster.all();
    Pick::new(
        all.iter()
            .find(|target| target.node().id == node)
            .unwrap()
            .clone(),
    )
}

fn judge(roster: &mut Roster, node: &str, verdict: Verdict) {
    let pick = pick(roster, node);
    roster.judge(&pick, verdict, &OutlierDetection::default());
}

/// Until the node is tried, to the millisecond.
async fn until_tried(roster: &mut Roster, node: &str) -> Duration {
    let start = Instant::now();
    while !open(roster).contains(node) {
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    assert!(pick(roster, node).is_on_trial());
    start.elapsed()
}

fn about(took: Duration, expected: Duration) {
    let range = expected.mul_f64(0.79)..expected.mul_f64(1.21);
    assert!(range.contains(&took), "{took:?} instead of {expected:?}");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_gone_is_tried_later_and_later() {
    let mut roster = roster(&["a", "b"]);
    judge(&mut roster, "a", Verdict::Gone);
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(open(&mut roster), "b");
        about(until_tried(&mut roster, "a").await, SECOND * seconds);
        assert!(roster.begin_trial(&pick(&roster, "a")));
        judge(&mut roster, "a", Verdict::Gone);
    }
}

#[tokio::test(start_paused = true)]
async fn a_trial_is_one_call() {
    let mut roster = roster(&["a", "b"]);
    judge(&mut roster, "a", Verdict::Gone);
    until_tried(&mut roster, "a").await;
    let target = pick(&roster, "a");
    assert!(roster.begin_trial(&target));
    assert!(!roster.begin_trial(&target) && open(&mut roster) == "b");
    judge(&mut roster, "a", Verdict::Answered);
    assert_eq!(open(&mut roster), "ab");
    assert!(!pick(&roster, "a").is_on_trial());
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_nobody_finishes_is_followed_by_another() {
    let mut roster = roster(&["a", "b"]);
    judge(&mut roster, "a", Verdict::Gone);
    until_tried(&mut roster, "a").await;
    assert!(roster.begin_trial(&pick(&roster, "a")));
    about(until_tried(&mut roster, "a").await, SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_did_well_is_forgiven() {
    let mut roster = roster(&["a", "b"]);
    for _ in 0..3 {
        judge(&mut roster, "a", Verdict::Gone);
        about(until_tried(&mut roster, "a").await, SECOND);
        assert!(roster.begin_trial(&pick(&roster, "a")));
        judge(&mut roster, "a", Verdict::Answered);
        tokio::time::advance(SECOND * 3).await;
    }
    judge(&mut roster, "a", Verdict::Gone);
    about(until_tried(&mut roster, "a").await, SECOND);
    judge(&mut roster, "a", Verdict::Answered);
    judge(&mut roster, "a", Verdict::Gone);
    about(until_tried(&mut roster, "a").await, SECOND * 2);
}

#[tokio::test(start_paused = true)]
async fn a_full_node_is_spared_for_a_moment() {
    let mut roster = roster(&["a", "b"]);
    for millis in [50, 100, 200, 400, 800, 1000, 1000] {
        judge(&mut roster, "a", Verdict::Full);
        about(until_tried(&mut roster, "a").await, Duration::from_millis(millis));
    }
}

#[tokio::test(start_paused = true)]
async fn when_none_is_left_all_are_called() {
    let mut roster = roster(&["a", "b", "c"]);
    judge(&mut roster, "a", Verdict::Gone);
    judge(&mut roster, "b", Verdict::Gone);
    assert_eq!(open(&mut roster), "c");
    judge(&mut roster, "c", Verdict::Gone);
    assert_eq!(open(&mut roster), "abc");
    judge(&mut roster, "a", Verdict::Full);
    roster.apply(Change::new(Action::Delete, record(&["b", "c"])));
    assert_eq!(open(&mut roster), "a");
}

#[tokio::test(start_paused = true)]
async fn suspicion_sets_half_of_the_nodes_aside_at_most() {
    let mut roster = roster(&["a", "b", "c", "d"]);
    for node in ["a", "b", "c", "d"] {
        judge(&mut roster, node, Verdict::Failed);
    }
    assert_eq!(open(&mut roster), "cd");
    let mut alone = self::roster(&["a"]);
    judge(&mut alone, "a", Verdict::Failed);
    assert_eq!(open(&mut alone), "a");
}

#[tokio::test(start_paused = true)]
async fn what_began_before_says_nothing_of_what_is_now() {
    let mut roster = roster(&["a", "b"]);
    let (first, second) = (pick(&roster, "a"), pick(&roster, "a"));
    let how = OutlierDetection::default();
    roster.judge(&first, Verdict::Gone, &how);
    // A node that is leaving still answers what it had.
    roster.judge(&second, Verdict::Answered, &how);
    assert_eq!(open(&mut roster), "b");
    judge(&mut roster, "a", Verdict::Answered);
    // What went down with the old socket is no news.
    roster.judge(&second, Verdict::Gone, &how);
    assert_eq!(open(&mut roster), "ab");
}

#[tokio::test(start_paused = true)]
async fn the_word_of_the_registry_counts() {
    let mut roster = roster(&["a", "b", "c"]);
    judge(&mut roster, "a", Verdict::Gone);
    // An answer may be old news; a change is not.
    roster.replace(vec![record(&["a", "b", "c"])]);
    assert_eq!(open(&mut roster), "bc");
    roster.apply(Change::new(Action::Update, record(&["a"])));
    assert_eq!(open(&mut roster), "abc");
    assert!(pick(&roster, "a").is_on_trial());
    judge(&mut roster, "a", Verdict::Gone);
    roster.apply(Change::new(Action::Delete, record(&["a"])));
    assert_eq!(roster.all().len(), 2);
    // One that has gone and comes is another one.
    roster.apply(Change::new(Action::Create, record(&["a"])));
    assert!(open(&mut roster) == "abc" && !pick(&roster, "a").is_on_trial());
    judge(&mut roster, "a", Verdict::Gone);
    let moved = ServiceRecord::new("test", "1").with_node(Node::new("a", "elsewhere"));
    roster.apply(Change::new(Action::Update, moved));
    assert!(open(&mut roster) == "abc" && !pick(&roster, "a").is_on_trial());
}

#[tokio::test(start_paused = true)]
async fn a_record_that_changes_is_of_the_same_node() {
    let mut roster = roster(&["a", "b"]);
    judge(&mut roster, "a", Verdict::Gone);
    let node = Node::new("a", "address-a").with_metadata("zone", "here");
    let changed = ServiceRecord::new("test", "1").with_node(node);
    roster.replace(vec![changed, record(&["b"])]);
    assert_eq!(open(&mut roster), "b");
    assert_eq!(pick(&roster, "a").label("zone"), Some("here"));
}

#[tokio::test(start_paused = true)]
async fn a_node_of_two_versions_is_two() {
    let other = ServiceRecord::new("test", "2").with_node(Node::new("a", "address-a"));
    let records = vec![record(&["a", "b"]), other];
    let mut roster = Roster::default();
    for _ in 0..2 {
        roster.replace(records.clone());
    }
    let second = roster
        .all()
        .into_iter()
        .find(|target| target.version() == "2")
        .unwrap();
    roster.judge(&Pick::new(second), Verdict::Gone, &OutlierDetection::default());
    assert_eq!(open(&mut roster), "ab");
    assert!(roster.open().iter().all(|target| target.version() == "1"));
}
