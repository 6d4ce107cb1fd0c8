//! The flags that choose backends.

use std::time::Duration;

use clap::Args;
use micro_core::client::{Backoff, Hedge, RetryBudget};
use micro_core::plugin::Secret;

#[cfg(feature = "nats")]
use super::nats::NatsFlags;
use super::parse::{BROKER, REGISTRY, TRANSPORT, known};
use super::replace;
use super::values::{duration, hedge, retry_budget, selector_name};
use crate::config::{BackendsConfig, PluginChoice};
use crate::plugins::default_plugins;

/// The flags that choose the backends and adjust the client: all that a program needs that serves nothing.
#[derive(Args, Clone, Debug, Default)]
#[command(about = None, long_about = None, next_help_heading = "Backends")]
#[non_exhaustive]
pub struct BackendFlags {
    /// What carries calls
    #[arg(long, env = "MICRO_TRANSPORT", value_name = "PLUGIN", help = known(TRANSPORT, &default_plugins().transport))]
    pub transport: Option<String>,

    /// Its servers: a comma-separated list [default: the plugin's own]
    #[arg(
        long = "transport_address",
        alias = "transport-address",
        env = "MICRO_TRANSPORT_ADDRESS",
        hide_env_values = true
    )]
    #[arg(value_name = "LIST")]
    pub transport_address: Option<Secret>,

    /// What carries events
    #[arg(long, env = "MICRO_BROKER", value_name = "PLUGIN", help = known(BROKER, &default_plugins().broker))]
    pub broker: Option<String>,

    /// Its servers: a comma-separated list [default: the plugin's own]
    #[arg(
        long = "broker_address",
        alias = "broker-address",
        env = "MICRO_BROKER_ADDRESS",
        hide_env_values = true,
        value_name = "LIST"
    )]
    pub broker_address: Option<Secret>,

    /// What knows who serves what
    #[arg(long, env = "MICRO_REGISTRY", value_name = "PLUGIN", help = known(REGISTRY, &default_plugins().registry))]
    pub registry: Option<String>,

    /// Its servers: a comma-separated list [default: the plugin's own]
    #[arg(
        long = "registry_address",
        alias = "registry-address",
        env = "MICRO_REGISTRY_ADDRESS",
        hide_env_values = true,
        value_name = "LIST"
    )]
    pub registry_address: Option<Secret>,

    /// How long a unary call may take, with all its attempts [default: 5s]
    #[arg(
        long = "client_request_timeout",
        alias = "client-request-timeout",
        env = "MICRO_CLIENT_REQUEST_TIMEOUT"
    )]
    #[arg(value_name = "DURATION", value_parser = duration)]
    pub client_request_timeout: Option<Duration>,

    /// How many times an idempotent call that may have run is made again [default: 1]
    #[arg(
        long = "client_retries",
        alias = "client-retries",
        env = "MICRO_CLIENT_RETRIES",
        value_name = "COUNT"
    )]
    pub client_retries: Option<u32>,

    /// How many retries each call that succeeds allows, 0 to 1000; 0 for none that may run twice [default: 0.2]
    #[arg(
        long = "client_retry_budget",
        alias = "client-retry-budget",
        env = "MICRO_CLIENT_RETRY_BUDGET"
    )]
    #[arg(value_name = "RATIO", value_parser = retry_budget)]
    pub client_retry_budget: Option<RetryBudget>,

    /// How long to wait at most before the first retry of a call that may have run; twice as long each time, up to 1s
    /// [default: 25ms]
    #[arg(
        long = "client_backoff",
        alias = "client-backoff",
        env = "MICRO_CLIENT_BACKOFF"
    )]
    #[arg(value_name = "DURATION", value_parser = duration)]
    pub client_backoff: Option<Duration>,

    /// When an idempotent call is made on a second node beside the first: after a time, or when it takes longer than a
    /// percentile of the calls lately, such as p95 [default: never]
    #[arg(long = "client_hedge", alias = "client-hedge", env = "MICRO_CLIENT_HEDGE")]
    #[arg(value_name = "DURATION|PERCENTILE", value_parser = hedge)]
    pub client_hedge: Option<Hedge>,

    /// After how many failures in a row a node gets no calls for a while; 0 for never [default: 5]
    #[arg(
        long = "client_eject_after",
        alias = "client-eject-after",
        env = "MICRO_CLIENT_EJECT_AFTER",
        value_name = "COUNT"
    )]
    pub client_eject_after: Option<u32>,

    /// How the client picks one node among several: random, round_robin, least_loaded, peak_ewma, consistent_hash (by
    /// the key of a call) or consistent_hash:HEADER; before it, each followed by +, which nodes it prefers: zone:NAME,
    /// version:VERSION, label:KEY=VALUE [default: random]
    #[arg(long, env = "MICRO_SELECTOR", value_name = "NAME", value_parser = selector_name)]
    pub selector: Option<String>,

    /// Who we are to a NATS server, and how we know that it is the right one.
    #[cfg(feature = "nats")]
    #[command(flatten)]
    pub nats: NatsFlags,
}

impl BackendFlags {
    /// Puts what was given in place of what code has set.
    pub fn apply(self, config: &mut BackendsConfig) {
        choose(&mut config.transport, self.transport, self.transport_address);
        choose(&mut config.broker, self.broker, self.broker_address);
        choose(&mut config.registry, self.registry, self.registry_address);
        replace(&mut config.client.request_timeout, self.client_request_timeout);
        replace(&mut config.client.retries, self.client_retries);
        replace(&mut config.client.retry_budget, self.client_retry_budget);
        if let Some(base) = self.client_backoff {
            config.client.backoff = Backoff::new(base, config.client.backoff.max.max(base));
        }
        config.client.hedge = self.client_hedge.or(config.client.hedge);
        let outliers = &mut config.client.outlier_detection;
        replace(&mut outliers.consecutive_failures, self.client_eject_after);
        replace(&mut config.selector, self.selector);
        #[cfg(feature = "nats")]
        self.nats.apply(config);
    }
}

/// The addresses that code has set belong to the plugin that code has set.
fn choose(choice: &mut PluginChoice, plugin: Option<String>, addresses: Option<Secret>) {
    if let Some(plugin) = plugin.filter(|plugin| *plugin != choice.plugin) {
        *choice = PluginChoice::new(plugin);
    }
    if let Some(list) = addresses {
        *choice = choice.clone().with_addresses(list.reveal());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_code_go_with_the_plugin_of_code() {
        let mut choice = PluginChoice::new("nats").with_addresses("here");
        choose(&mut choice, Some("nats".into()), None);
        assert_eq!(choice, PluginChoice::new("nats").with_addresses("here"));
        choose(&mut choice, Some("memory".into()), None);
        assert_eq!(choice, PluginChoice::new("memory"));
    }
}
