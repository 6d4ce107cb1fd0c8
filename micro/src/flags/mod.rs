//! Flags and environment: how an operator chooses plugins and settings.

mod backends;
#[cfg(feature = "nats")]
mod nats;
mod origin;
mod parse;
mod server;
#[cfg(test)]
mod tests;
mod values;

use clap::Args;

use crate::config::Config;

pub use backends::BackendFlags;
#[cfg(feature = "nats")]
pub use nats::NatsFlags;
pub use parse::know_plugins;
pub(crate) use parse::{mistake, parse, try_parse};
pub use server::ServerFlags;

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
#[command(about = None, long_about = None)]
#[non_exhaustive]
pub struct Flags {
    /// Which backends to open, and how to call through them.
    #[command(flatten)]
    pub backends: BackendFlags,

    /// What the service is, and how it is registered.
    #[command(flatten)]
    pub server: ServerFlags,
}

impl Flags {
    /// Puts what was given in place of what code has set.
    pub fn apply(self, config: &mut Config) {
        self.backends.apply(&mut config.backends);
        self.server.apply(config);
    }
}

fn replace<T>(setting: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *setting = value;
    }
}
