//! The flags that say what a service is.

use std::time::Duration;

use clap::Args;
use micro_core::Address;

use super::replace;
use super::values::{duration, pair, service_name};
use crate::config::Config;

/// The flags that say what a service is, and how it is registered.
#[derive(Args, Clone, Debug, Default)]
#[command(about = None, long_about = None, next_help_heading = "Service")]
#[non_exhaustive]
pub struct ServerFlags {
    /// The name by which the service is found
    #[arg(
        long = "server_name",
        alias = "server-name",
        env = "MICRO_SERVER_NAME",
        value_name = "NAME"
    )]
    #[arg(value_parser = service_name)]
    pub server_name: Option<String>,

    /// Its version [default: what the program says, else latest]
    #[arg(
        long = "server_version",
        alias = "server-version",
        env = "MICRO_SERVER_VERSION",
        value_name = "VERSION"
    )]
    pub server_version: Option<String>,

    /// The id of this instance, unique among all [default: its name and a uuid]
    #[arg(
        long = "server_id",
        alias = "server-id",
        env = "MICRO_SERVER_ID",
        value_name = "ID"
    )]
    pub server_id: Option<String>,

    /// Where it listens [default: a unique address]
    #[arg(
        long = "server_address",
        alias = "server-address",
        env = "MICRO_SERVER_ADDRESS",
        value_name = "ADDRESS"
    )]
    pub server_address: Option<Address>,

    /// Where others are told to dial it [default: where it listens]
    #[arg(
        long = "server_advertise",
        alias = "server-advertise",
        env = "MICRO_SERVER_ADVERTISE",
        value_name = "ADDRESS"
    )]
    pub server_advertise: Option<Address>,

    /// What the registry says of this instance; repeatable, or comma-separated
    #[arg(
        long = "server_metadata",
        alias = "server-metadata",
        env = "MICRO_SERVER_METADATA",
        value_name = "K=V"
    )]
    #[arg(value_parser = pair, value_delimiter = ',')]
    pub server_metadata: Vec<(String, String)>,

    /// How long the registry keeps it without a refresh [default: 90s]
    #[arg(
        long = "register_ttl",
        alias = "register-ttl",
        env = "MICRO_REGISTER_TTL",
        value_name = "DURATION"
    )]
    #[arg(value_parser = duration)]
    pub register_ttl: Option<Duration>,

    /// How often it refreshes that [default: a third of the ttl]
    #[arg(
        long = "register_interval",
        alias = "register-interval",
        env = "MICRO_REGISTER_INTERVAL"
    )]
    #[arg(value_name = "DURATION", value_parser = duration)]
    pub register_interval: Option<Duration>,
}

impl ServerFlags {
    /// Puts what was given in place of what code has set.
    pub fn apply(self, config: &mut Config) {
        replace(&mut config.name, self.server_name);
        replace(&mut config.version, self.server_version);
        config.id = self.server_id.or(config.id.take());
        config.address = self.server_address.or(config.address.take());
        config.advertise = self.server_advertise.or(config.advertise.take());
        config.metadata.extend(self.server_metadata);
        replace(&mut config.register_ttl, self.register_ttl);
        config.register_interval = self.register_interval.or(config.register_interval);
    }
}
