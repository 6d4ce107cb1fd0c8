//! How long a node lives without a refresh, as far as its record tells.
//!
//! go-micro's records do not tell: a node of which nothing is said is taken to live for the usual time. One of ours
//! that is refreshed more rarely says so in its metadata, so that nobody takes it for dead between two refreshes.

use std::time::Duration;

use micro_core::registry::{Node, RegisterOptions, ServiceRecord};

/// The key in a node's metadata; its value is a number of seconds.
const KEY: &str = "micro-ttl";

/// No record is believed to live longer without a sign of it.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Says in a node's metadata how long it lives, where that is longer than usual.
pub(crate) fn tell(node: &mut Node, ttl: Duration) {
    if ttl > RegisterOptions::default().ttl {
        node.metadata.insert(KEY.to_owned(), ttl.as_secs().to_string());
    }
}

/// How long the nodes of a record live.
pub(crate) fn of(record: &ServiceRecord, usual: Duration) -> Duration {
    let told = |node: &Node| node.metadata.get(KEY)?.parse().ok().map(Duration::from_secs);
    let longest = record.nodes.iter().filter_map(told).max();
    longest.map_or(usual, |told| told.clamp(usual, LONGEST.max(usual)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Duration = Duration::from_secs(90);

    fn told(text: Option<&str>) -> Duration {
        let node = Node::new("n", "x");
        let node = text
            .into_iter()
            .fold(node, |node, text| node.with_metadata(KEY, text));
        of(&ServiceRecord::new("a", "1").with_node(node), USUAL)
    }

    #[test]
    fn what_is_not_said_is_the_usual_time() {
        assert_eq!([told(None), told(Some("soon")), told(Some("1"))], [USUAL; 3]);
    }

    #[test]
    fn a_longer_time_is_believed_up_to_a_day() {
        assert_eq!(told(Some("600")), Duration::from_secs(600));
        assert_eq!(told(Some("18446744073709551615")), LONGEST);
    }

    #[test]
    fn only_an_unusual_time_is_said() {
        let (mut node, mut long) = (Node::new("n", "x"), Node::new("n", "x"));
        tell(&mut node, USUAL);
        tell(&mut long, 2 * USUAL);
        assert_eq!(
            (node.metadata.get(KEY), long.metadata.get(KEY).map(String::as_str)),
            (None, Some("180"))
        );
    }
}
