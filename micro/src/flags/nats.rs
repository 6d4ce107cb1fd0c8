//! The flags that say who we are to a NATS server, and how we wait for it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::FalseyValueParser;
use micro_core::plugin::{Login, Secret, Security};

use super::{replace, values};
use crate::config::BackendsConfig;

/// The flags that say who we are to a NATS server, and how we know that it is the right one.
///
/// They are named as those of the tool `nats`, whose environment variables they share, and hold for all three plugins.
/// One kind of login at most is given; an address with a login of its own beats it.
#[derive(Args, Clone, Debug, Default)]
#[command(about = None, long_about = None, next_help_heading = "NATS")]
#[non_exhaustive]
pub struct NatsFlags {
    /// The user who connects; needs a password
    #[arg(
        long = "nats_user",
        alias = "nats-user",
        env = "NATS_USER",
        value_name = "NAME"
    )]
    #[arg(requires = "nats_password", conflicts_with_all = ["nats_token", "nats_nkey", "nats_creds"])]
    pub nats_user: Option<String>,

    /// Its password; rather by the environment, since other users of this machine see arguments
    #[arg(
        long = "nats_password",
        alias = "nats-password",
        env = "NATS_PASSWORD",
        hide_env_values = true
    )]
    #[arg(requires = "nats_user", value_name = "PASSWORD")]
    pub nats_password: Option<Secret>,

    /// A token instead of a user; rather by the environment, too
    #[arg(
        long = "nats_token",
        alias = "nats-token",
        env = "NATS_TOKEN",
        hide_env_values = true
    )]
    #[arg(conflicts_with_all = ["nats_nkey", "nats_creds"], value_name = "TOKEN")]
    pub nats_token: Option<Secret>,

    /// A file with the seed of a user's nkey
    #[arg(
        long = "nats_nkey",
        alias = "nats-nkey",
        env = "NATS_NKEY",
        value_name = "FILE"
    )]
    #[arg(conflicts_with = "nats_creds")]
    pub nats_nkey: Option<PathBuf>,

    /// A credentials file, with a user's JWT and the seed of its nkey
    #[arg(
        long = "nats_creds",
        alias = "nats-creds",
        env = "NATS_CREDS",
        value_name = "FILE"
    )]
    pub nats_creds: Option<PathBuf>,

    /// The authorities that may vouch for a server, in PEM [default: those of the system]
    #[arg(
        long = "nats_tlsca",
        alias = "nats-tlsca",
        env = "NATS_CA",
        value_name = "FILE"
    )]
    pub nats_tlsca: Option<PathBuf>,

    /// Our certificate, in PEM
    #[arg(
        long = "nats_tlscert",
        alias = "nats-tlscert",
        env = "NATS_CERT",
        value_name = "FILE"
    )]
    #[arg(requires = "nats_tlskey")]
    pub nats_tlscert: Option<PathBuf>,

    /// The private key of our certificate, in PEM
    #[arg(
        long = "nats_tlskey",
        alias = "nats-tlskey",
        env = "NATS_KEY",
        value_name = "FILE"
    )]
    #[arg(requires = "nats_tlscert")]
    pub nats_tlskey: Option<PathBuf>,

    /// Begin with TLS: for servers with handshake_first
    #[arg(long = "nats_tlsfirst", alias = "nats-tlsfirst", env = "NATS_TLSFIRST")]
    #[arg(value_parser = FalseyValueParser::new())]
    pub nats_tlsfirst: bool,

    /// Under which subjects we are answered, such as _INBOX.greeter, so that permissions can tell us from others
    /// [default: _INBOX]
    #[arg(
        long = "nats_inbox_prefix",
        alias = "nats-inbox-prefix",
        env = "NATS_INBOX_PREFIX"
    )]
    #[arg(value_name = "SUBJECT")]
    pub nats_inbox_prefix: Option<String>,

    /// For how long after traffic the program's thread does not sleep, such as 50us, which takes a processor; 0 for not
    /// at all [default: 0]
    #[arg(long = "nats_busy_poll", alias = "nats-busy-poll", env = "NATS_BUSY_POLL")]
    #[arg(value_name = "DURATION", value_parser = values::busy_poll)]
    pub nats_busy_poll: Option<Duration>,
}

impl NatsFlags {
    /// Puts what was given in place of what code has set, for each of the backends.
    pub fn apply(self, config: &mut BackendsConfig) {
        for choice in [&mut config.transport, &mut config.broker, &mut config.registry] {
            choice.busy_poll = self.nats_busy_poll.or(choice.busy_poll);
            self.clone().secure(&mut choice.security);
        }
    }

    fn secure(self, security: &mut Security) {
        let tls = &mut security.tls;
        tls.ca = self.nats_tlsca.clone().or(tls.ca.take());
        if self.nats_tlscert.is_some() || self.nats_tlskey.is_some() {
            (tls.cert, tls.key) = (self.nats_tlscert.clone(), self.nats_tlskey.clone());
        }
        tls.first |= self.nats_tlsfirst;
        if self.nats_inbox_prefix.is_some() {
            security.inbox_prefix.clone_from(&self.nats_inbox_prefix);
        }
        if let Some(login) = self.login() {
            security.login = Some(login);
        }
    }

    fn login(self) -> Option<Login> {
        let user = self.nats_user.map(|name| {
            let mut password = Secret::from("");
            replace(&mut password, self.nats_password);
            Login::user(name, password)
        });
        user.or(self.nats_token.map(Login::Token))
            .or(self.nats_nkey.map(Login::NkeyFile))
            .or(self.nats_creds.map(Login::CredentialsFile))
    }
}
