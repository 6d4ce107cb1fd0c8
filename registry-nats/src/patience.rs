//! How long answers are waited for.

use std::time::Duration;

use tokio::time::Instant;

use crate::answers::Answers;
use crate::config::RegistryOptions;

/// Before nobody is said to answer, an answer has had the time of this many round trips to the server.
const ROUND_TRIPS: u32 = 10;

/// Why no more answers are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Nobody listens.
    Unserved,
    /// Every node has answered.
    Complete,
    /// Answers came, and then no more for a while.
    Silent,
    /// The time limit passed, or more came than can be.
    Limit,
}

/// The clock of one query.
#[derive(Debug)]
pub(crate) struct Patience {
    began: Instant,
    limit: Instant,
    quiet: Duration,
    /// How many answers came, and when the last did.
    count: usize,
    last: Option<Instant>,
    /// Whether a node is known that has not answered.
    expecting: bool,
}

impl Patience {
    /// Begins now.
    pub(crate) fn new(options: &RegistryOptions) -> Self {
        let began = Instant::now();
        Patience {
            began,
            limit: began + options.query_limit,
            quiet: options.quiet,
            count: 0,
            last: None,
            expecting: false,
        }
    }

    /// When it ends at the latest.
    pub(crate) fn limit(&self) -> Instant {
        self.limit
    }

    /// Waits longer where a round trip to the server takes long: because it is far, or because somebody is busy.
    pub(crate) fn allow_for(&mut self, round_trip: Duration) {
        self.limit = self.limit.max(self.began + ROUND_TRIPS * round_trip);
    }

    /// Notes what has come. How long the last answer took shows how long others may take.
    pub(crate) fn note(&mut self, answers: &Answers) {
        self.expecting = answers.are_expected();
        if answers.count() > self.count {
            let now = Instant::now();
            self.quiet = self.quiet.max(now - self.began);
            (self.count, self.last) = (answers.count(), Some(now));
        }
    }

    /// When it ends, if nothing more comes. Silence means nothing while somebody is expected to answer.
    pub(crate) fn ends(&self) -> Instant {
        match self.last {
            Some(last) if !self.expecting => self.limit.min(last + self.quiet),
            _ => self.limit,
        }
    }

    /// Why it has ended.
    pub(crate) fn end(&self) -> End {
        match self.ends() < self.limit {
            true => End::Silent,
            false => End::Limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use micro_core::registry::{Node, ServiceRecord};

    use super::*;
    use crate::hub::Known;
    use crate::wire::Query;

    fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    fn options() -> RegistryOptions {
        RegistryOptions::default()
            .with_query_limit(millis(100))
            .with_quiet(millis(25))
    }

    fn answer(id: &str) -> ServiceRecord {
        ServiceRecord::new("a", "1").with_node(Node::new(id, "x"))
    }

    #[tokio::test(start_paused = true)]
    async fn silence_lasts_as_long_as_the_last_answer_took() {
        let (began, mut answers) = (Instant::now(), Answers::new(Query::List, &[]));
        let mut patience = Patience::new(&options());
        assert_eq!(
            (patience.ends(), patience.end()),
            (began + millis(100), End::Limit)
        );
        for (wait, ends) in [(1, 26), (39, 80), (20, 100)] {
            tokio::time::advance(millis(wait)).await;
            answers.take(&answer("n"));
            patience.note(&answers);
            assert_eq!(patience.ends(), began + millis(ends));
        }
        assert_eq!(patience.end(), End::Limit);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_expected_is_waited_for() {
        let (began, mut answers) = (Instant::now(), Answers::new(Query::List, &[]));
        let mut patience = Patience::new(&options());
        let key = |id: &str| ("a".to_owned(), "1".to_owned(), id.to_owned());
        answers.expect(Known {
            nodes: [key("n"), key("m")].into(),
            all: false,
        });
        answers.take(&answer("n"));
        patience.note(&answers);
        assert_eq!(patience.ends(), began + millis(100));
        answers.take(&answer("m"));
        patience.note(&answers);
        assert_eq!(
            (patience.ends(), patience.end()),
            (began + millis(25), End::Silent)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_server_gets_more_time() {
        let began = Instant::now();
        let mut patience = Patience::new(&options());
        patience.allow_for(millis(1));
        assert_eq!(patience.limit(), began + millis(100));
        patience.allow_for(millis(30));
        assert_eq!(patience.limit(), began + millis(300));
    }
}
