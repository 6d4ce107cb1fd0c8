//! Flags and environment: how an operator chooses plugins and settings.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, Command, FromArgMatches};
use micro_core::plugin::{Plugins, Table};
use micro_core::{Address, Result, name, selector};

use crate::config::{BackendsConfig, Config, PluginChoice};
use crate::plugins::default_plugins;

/// Every flag of a service, each with its environment variable.
///
/// A flag beats the environment, which beats what code sets. Underscores may be hyphens: `--server-name`. A program
/// with flags of its own takes these in:
///
/// ```
/// #[derive(clap::Parser)]
/// struct Cli {
///     /// How to greet.
///     #[arg(long, default_value = "Hello")]
///     greeting: String,
///     #[command(flatten)]
///     micro: micro::Flags,
/// }
///
/// let cli = <Cli as clap::Parser>::parse_from(["greeter", "--greeting", "Hi", "--server_version", "1.2.0"]);
/// let builder = micro::Service::from_flags("greeter", cli.micro)?;
/// # Ok::<(), micro::Error>(())
/// ```
#[derive(Args, Clone, Debug, Default)]
#[command(about = None, long_about = None, next_help_heading = "Service")]
#[non_exhaustive]
pub struct Flags {
    /// Which backends to open, and how to call through them.
    #[command(flatten)]
    pub backends: BackendFlags,

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

    /// The id of this instance, unique among all [default: <name>-<uuid>]
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
        env = "MICRO_TRANSPORT_ADDRESS"
    )]
    #[arg(value_name = "LIST")]
    pub transport_address: Option<String>,

    /// What carries events
    #[arg(long, env = "MICRO_BROKER", value_name = "PLUGIN", help = known(BROKER, &default_plugins().broker))]
    pub broker: Option<String>,

    /// Its servers: a comma-separated list [default: the plugin's own]
    #[arg(
        long = "broker_address",
        alias = "broker-address",
        env = "MICRO_BROKER_ADDRESS",
        value_name = "LIST"
    )]
    pub broker_address: Option<String>,

    /// What knows who serves what
    #[arg(long, env = "MICRO_REGISTRY", value_name = "PLUGIN", help = known(REGISTRY, &default_plugins().registry))]
    pub registry: Option<String>,

    /// Its servers: a comma-separated list [default: the plugin's own]
    #[arg(
        long = "registry_address",
        alias = "registry-address",
        env = "MICRO_REGISTRY_ADDRESS",
        value_name = "LIST"
    )]
    pub registry_address: Option<String>,

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

    /// How the client picks one node among several: random, round_robin, least_loaded [default: random]
    #[arg(long, env = "MICRO_SELECTOR", value_name = "NAME", value_parser = selector_name)]
    pub selector: Option<String>,
}

const TRANSPORT: &str = "What carries calls";
const BROKER: &str = "What carries events";
const REGISTRY: &str = "What knows who serves what";

impl Flags {
    /// Puts what was given in place of what code has set.
    pub fn apply(self, config: &mut Config) {
        self.backends.apply(&mut config.backends);
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

impl BackendFlags {
    /// Puts what was given in place of what code has set.
    pub fn apply(self, config: &mut BackendsConfig) {
        choose(&mut config.transport, self.transport, self.transport_address);
        choose(&mut config.broker, self.broker, self.broker_address);
        choose(&mut config.registry, self.registry, self.registry_address);
        replace(&mut config.client.request_timeout, self.client_request_timeout);
        replace(&mut config.client.retries, self.client_retries);
        replace(&mut config.selector, self.selector);
    }
}

fn replace<T>(setting: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *setting = value;
    }
}

/// The addresses that code has set belong to the plugin that code has set.
fn choose(choice: &mut PluginChoice, plugin: Option<String>, addresses: Option<String>) {
    if let Some(plugin) = plugin.filter(|plugin| *plugin != choice.plugin) {
        *choice = PluginChoice::new(plugin);
    }
    if let Some(list) = addresses {
        *choice = PluginChoice::new(std::mem::take(&mut choice.plugin)).with_addresses(&list);
    }
}

/// Lets a command know the plugins of this table: in its help, and in the errors about unknown names.
///
/// For programs that flatten [`Flags`] beside flags of their own and add plugins of their own; see
/// [`Service::from_args_with`](crate::Service::from_args_with) for those that have no flags of their own.
pub fn know_plugins(command: Command, plugins: &Plugins) -> Command {
    let plugins = plugins.clone();
    command.mut_args(move |arg| match arg.get_id().as_str() {
        "transport" => checked(arg, TRANSPORT, &plugins.transport),
        "broker" => checked(arg, BROKER, &plugins.broker),
        "registry" => checked(arg, REGISTRY, &plugins.registry),
        _ => arg,
    })
}

fn checked<T: ?Sized + 'static>(arg: clap::Arg, about: &str, table: &Table<T>) -> clap::Arg {
    let help = known(about, table);
    let table = table.clone();
    arg.help(help)
        .value_parser(move |plugin: &str| table.check(plugin).map(|()| plugin.to_owned()))
}

fn known<T: ?Sized>(about: &str, table: &Table<T>) -> String {
    let names = table.names().collect::<Vec<_>>().join(", ");
    format!("{about}: {names} [default: memory]")
}

/// Parses the arguments of the process; prints and ends it as clap does.
pub(crate) fn parse<F: Args + FromArgMatches>(name: &str, plugins: &Plugins) -> F {
    try_parse(name, plugins, std::env::args_os()).unwrap_or_else(|error| error.exit())
}

/// Parses arguments, of which the first is the name of the program.
pub(crate) fn try_parse<F: Args + FromArgMatches>(
    name: &str,
    plugins: &Plugins,
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<F, clap::Error> {
    let command = Command::new(name.to_owned())
        .version(concat!("on micro ", env!("CARGO_PKG_VERSION")))
        .after_help(
            "Every flag may be written with hyphens. A flag beats the environment, which beats the program.",
        );
    let mut command = know_plugins(F::augment_args(command), plugins);
    let matches = command.try_get_matches_from_mut(args)?;
    F::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Settings that can never work, as clap says it: exit code 2.
pub(crate) fn mistake(error: micro_core::Error) -> clap::Error {
    clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("{error}\n"))
}

/// `90s`, `1m 30s`, `500ms`, and bare seconds as go-micro has them.
fn duration(text: &str) -> Result<Duration, String> {
    let duration = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => humantime::parse_duration(text)
            .map_err(|error| format!("{error}; write it as 90s, 500ms, or 90 for seconds"))?,
    };
    match duration.is_zero() {
        true => Err("it is longer than zero".into()),
        false => Ok(duration),
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("write it as key=value".into()),
    }
}

fn service_name(text: &str) -> Result<String> {
    name::check_service(text).map(|()| text.to_owned())
}

fn selector_name(text: &str) -> Result<String> {
    selector::strategy(text).map(|_| text.to_owned())
}

#[cfg(test)]
mod tests;
