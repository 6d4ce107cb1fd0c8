//! How this registry is told to behave.

use std::time::Duration;

use micro_core::plugin::PluginConfig;
use micro_core::{Error, ErrorKind, Result};
use nats_common::parameters;

/// How a [`NatsRegistry`](crate::NatsRegistry) asks, and whom it speaks to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RegistryOptions {
    /// How long to wait for answers at most, or ten round trips to the server if that is longer. Default: 500 ms.
    ///
    /// What has come by then is read, also later: of all that comes in answer to one query, the first 100,000 at most.
    ///
    /// It is an upper bound, paid in full only where nobody answers although somebody listens. go-micro always waits
    /// 100 ms, which on a busy machine is too short for an honest "nobody".
    pub query_limit: Duration,
    /// How long after the last answer no more are expected; never less than that one took. Default: 25 ms.
    pub quiet: Duration,
    /// How long a node of another process is believed to live without a sign of it. Default: 90 s, three refreshes.
    pub node_ttl: Duration,
    /// Whom it speaks to. Default: [`Topics::Current`].
    pub topics: Topics,
}

impl Default for RegistryOptions {
    fn default() -> Self {
        RegistryOptions {
            query_limit: Duration::from_millis(500),
            quiet: Duration::from_millis(25),
            node_ttl: Duration::from_secs(90),
            topics: Topics::default(),
        }
    }
}

impl RegistryOptions {
    /// Sets how long to wait for answers at most.
    #[must_use]
    pub fn with_query_limit(mut self, limit: Duration) -> Self {
        self.query_limit = limit;
        self
    }

    /// Sets how long after the last answer no more are expected.
    #[must_use]
    pub fn with_quiet(mut self, quiet: Duration) -> Self {
        self.quiet = quiet;
        self
    }

    /// Sets how long a node of another process is believed to live without a sign of it.
    #[must_use]
    pub fn with_node_ttl(mut self, ttl: Duration) -> Self {
        self.node_ttl = ttl;
        self
    }

    /// Sets whom it speaks to.
    #[must_use]
    pub fn with_topics(mut self, topics: Topics) -> Self {
        self.topics = topics;
        self
    }

    /// Takes the registry's own parameters out of the addresses: what is behind a `?`, as in
    /// `127.0.0.1:4222?topics=both`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for an unknown parameter or value, listing the known ones.
    pub fn from_config(config: &PluginConfig) -> Result<(Self, PluginConfig)> {
        let mut options = RegistryOptions::default();
        let config = parameters(config, |parameter| options.set(parameter))?;
        Ok((options, config))
    }

    fn set(&mut self, parameter: &str) -> Result<()> {
        match parameter.split_once('=') {
            Some(("topics", value)) => self.topics = Topics::parse(value)?,
            _ => return Err(unknown("parameter", parameter, "topics")),
        }
        Ok(())
    }
}

/// Which generation of go-micro it speaks to: they use different subjects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Topics {
    /// `micro.nats.*`: go-micro from v5.7 on.
    #[default]
    Current,
    /// `micro.registry.nats.*`: the NATS plugins of go-micro v2 to v5.
    Plugins,
    /// Both: it answers and asks, announces and watches on either.
    Both,
}

impl Topics {
    fn parse(text: &str) -> Result<Self> {
        match text {
            "current" => Ok(Topics::Current),
            "plugins" => Ok(Topics::Plugins),
            "both" => Ok(Topics::Both),
            _ => Err(unknown("topics", text, "current, plugins, both")),
        }
    }

    /// As [`parse`](Topics::parse) reads it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Topics::Current => "current",
            Topics::Plugins => "plugins",
            Topics::Both => "both",
        }
    }

    pub(crate) fn subjects(self) -> &'static [Subjects] {
        match self {
            Topics::Current => &ALL[..1],
            Topics::Plugins => &ALL[1..],
            Topics::Both => &ALL,
        }
    }
}

/// The subjects of one generation.
#[derive(Debug)]
pub(crate) struct Subjects {
    pub(crate) query: &'static str,
    pub(crate) watch: &'static str,
}

const ALL: [Subjects; 2] = [
    Subjects {
        query: "micro.nats.query",
        watch: "micro.nats.watch",
    },
    Subjects {
        query: "micro.registry.nats.query",
        watch: "micro.registry.nats.watch",
    },
];

/// Whether registries listen on this subject. An answer sent there could kill a go-micro process.
pub(crate) fn is_registry_subject(subject: &str) -> bool {
    ALL.iter()
        .any(|subjects| subject == subjects.query || subject == subjects.watch)
}

fn unknown(what: &str, given: &str, known: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("unknown {what} {given:?} for the NATS registry; known: {known}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_chosen_behind_an_address() {
        let config = PluginConfig::default().with_addresses("nats://a:1?topics=both,b:2");
        let (options, config) = RegistryOptions::from_config(&config).unwrap();
        assert_eq!(options.topics, Topics::Both);
        assert_eq!(config.addresses, ["nats://a:1", "b:2"]);
    }

    #[test]
    fn topics_are_called_as_they_are_chosen() {
        for topics in [Topics::Current, Topics::Plugins, Topics::Both] {
            assert_eq!(Topics::parse(topics.name()).unwrap(), topics);
        }
    }

    #[test]
    fn a_parameter_without_a_server_leaves_the_default_server() {
        let config = PluginConfig::default().with_addresses("?topics=plugins");
        let (options, config) = RegistryOptions::from_config(&config).unwrap();
        assert_eq!((options.topics, config.addresses.len()), (Topics::Plugins, 0));
    }

    #[test]
    fn what_is_unknown_is_refused_with_what_is_known() {
        for (address, known) in [("a?topics=new", "current, plugins, both"), ("a?tls=1", "topics")] {
            let config = PluginConfig::default().with_addresses(address);
            let error = RegistryOptions::from_config(&config).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains(known), "{error}");
        }
    }

    #[test]
    fn only_registry_subjects_are_recognised() {
        assert!(is_registry_subject("micro.registry.nats.watch"));
        assert!(!is_registry_subject("_INBOX.micro.nats.query"));
    }
}
