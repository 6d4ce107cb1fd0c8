//! Every setting of a service, with its default, as plain data.

use std::time::Duration;

use micro_core::plugin::Plugins;
use micro_core::rpc::FEATURES_KEY;
use micro_core::{Address, Error, ErrorKind, ListenOptions, Metadata, Result, ServerOptions, name};

mod backends;

pub use backends::{BackendsConfig, PluginChoice};

/// Every setting of a service.
///
/// What code sets here are defaults: the environment beats them, and [flags](crate::Flags) beat the environment.
///
/// ```
/// let config = micro::Config::new("greeter");
/// assert_eq!((config.version.as_str(), config.backends.transport.plugin.as_str()), ("latest", "memory"));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The name by which it is found: `--server_name`.
    pub name: String,
    /// The version; versions stay apart in the registry: `--server_version`. Default: `latest`, as go-micro has it.
    pub version: String,
    /// The id of this instance, unique among all: `--server_id`. Default: `<name>-<uuid>`.
    pub id: Option<String>,
    /// Where it listens: `--server_address`. Default: a unique address that the transport chooses.
    pub address: Option<Address>,
    /// Where others are told to dial it: `--server_advertise`. Default: where it listens.
    pub advertise: Option<Address>,
    /// How many sockets wait to be accepted before more are refused. Default: 4096.
    pub backlog: usize,
    /// What the registry says of this instance, beside the framework's own: `--server_metadata`.
    pub metadata: Metadata,
    /// How long the registry keeps it without a refresh: `--register_ttl`. Default: 90 s.
    pub register_ttl: Duration,
    /// How often it refreshes that, sooner than it would age out: `--register_interval`. Default: a third of the
    /// time to live, which is 30 s.
    pub register_interval: Option<Duration>,
    /// The limits of the answering side.
    pub server: ServerOptions,
    /// How long a stop waits for requests and events in flight before it cuts them. Default: 30 s.
    pub shutdown_limit: Duration,
    /// What carries it all, and the calling side.
    pub backends: BackendsConfig,
}

impl Config {
    /// The defaults, for a service of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Config {
            name: name.into(),
            version: "latest".into(),
            id: None,
            address: None,
            advertise: None,
            backlog: ListenOptions::default().backlog,
            metadata: Metadata::new(),
            register_ttl: Duration::from_secs(90),
            register_interval: None,
            server: ServerOptions::default(),
            shutdown_limit: Duration::from_secs(30),
            backends: BackendsConfig::default(),
        }
    }

    /// How often the registration is refreshed.
    pub fn refresh_interval(&self) -> Duration {
        self.register_interval.unwrap_or(self.register_ttl / 3)
    }

    /// Checks everything that can be checked without opening anything.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`], saying what is wrong and what would be right.
    pub fn check(&self, plugins: &Plugins) -> Result<()> {
        name::check_service(&self.name)?;
        self.check_id()?;
        self.check_metadata()?;
        self.check_registration()?;
        self.backends.check(plugins)
    }

    fn check_id(&self) -> Result<()> {
        match self.id.as_deref() {
            Some(id) if id.is_empty() || id.contains(|c: char| c.is_whitespace() || c.is_control()) => {
                Err(invalid(format!(
                    "illegal server id {id:?}: it is not empty and has no white space"
                )))
            }
            _ => Ok(()),
        }
    }

    /// A Go client reads these keys to choose how it speaks; a wrong value makes it misread every answer.
    fn check_metadata(&self) -> Result<()> {
        match self
            .metadata
            .keys()
            .find(|key| FRAMEWORK_KEYS.contains(&key.as_str()))
        {
            Some(key) => Err(invalid(format!("metadata {key:?} is the framework's own"))),
            None => Ok(()),
        }
    }

    fn check_registration(&self) -> Result<()> {
        let (interval, ttl) = (self.refresh_interval(), self.register_ttl);
        if interval.is_zero() || interval >= ttl {
            return Err(invalid(format!(
                "the register interval ({interval:?}) is longer than zero and shorter than the register ttl \
                 ({ttl:?}); else the service would age out before its refresh"
            )));
        }
        Ok(())
    }
}

/// What a node's metadata says by the framework's own keys.
pub(crate) const FRAMEWORK_KEYS: [&str; 6] = [
    "protocol",
    "server",
    "transport",
    "broker",
    "registry",
    FEATURES_KEY,
];

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::new("greeter");
        change(&mut config);
        let error = config.check(&crate::default_plugins()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        error.to_string()
    }

    #[test]
    fn the_defaults_are_legal() {
        let config = Config::new("greeter");
        config.check(&crate::default_plugins()).unwrap();
        assert_eq!(config.register_ttl, Duration::from_secs(90));
        assert_eq!(config.refresh_interval(), Duration::from_secs(30));
    }

    #[test]
    fn an_unknown_name_lists_the_known() {
        let error = refused(|config| config.backends.broker.plugin = "pigeon".into());
        assert!(
            error.contains("unknown broker \"pigeon\"; known: memory"),
            "{error}"
        );
        let error = refused(|config| config.backends.selector = "best".into());
        assert!(
            error.contains("known: random, round_robin, least_loaded"),
            "{error}"
        );
    }

    #[test]
    fn an_interval_that_would_let_it_age_out_is_refused() {
        let error = refused(|config| config.register_interval = Some(Duration::from_secs(90)));
        assert!(error.contains("age out"), "{error}");
        refused(|config| config.register_interval = Some(Duration::ZERO));
        refused(|config| config.register_ttl = Duration::ZERO);
    }

    #[test]
    fn the_frameworks_metadata_cannot_be_replaced() {
        let error = refused(|config| drop(config.metadata.insert("protocol".into(), "grpc".into())));
        assert!(error.contains("protocol"), "{error}");
    }

    #[test]
    fn an_illegal_name_or_id_is_refused() {
        refused(|config| config.name = "two words".into());
        refused(|config| config.id = Some(String::new()));
    }
}
