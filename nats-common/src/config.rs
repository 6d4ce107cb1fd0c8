//! Where the servers are, and who we are to them.

use std::time::Duration;

use async_nats::ServerAddr;
use micro_core::plugin::{Login, Tls, without_login};
use micro_core::{Error, ErrorKind, PluginConfig, Result, name};

use crate::errors::Refusal;

/// Where a NATS server is looked for when no address is given.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:4222";

/// In bytes: what peers read has room for a number behind it.
const LONGEST_PREFIX: usize = 128;

/// The servers of one configuration, in order of preference.
#[derive(Debug)]
pub(crate) struct Servers {
    /// Those whose address can be read.
    pub(crate) usable: Vec<Server>,
    /// Those whose address cannot: they do not keep the others from being used.
    pub(crate) unreadable: Vec<Refusal>,
    /// How the way to each of them is kept private.
    pub(crate) tls: Tls,
    /// Under which subjects we are answered, if not under those that all share.
    pub(crate) inbox_prefix: Option<String>,
    /// For how long after traffic our thread does not sleep, if at all.
    pub(crate) busy_poll: Option<Duration>,
}

/// One server.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// Where it is, without credentials.
    pub(crate) address: ServerAddr,
    /// What it wants to see.
    pub(crate) login: Option<Login>,
}

impl Servers {
    /// Reads the addresses: `host:port`, `host`, `nats://…`, `tls://…`, each with or without credentials.
    ///
    /// A server without credentials of its own gets those that were given for all, else the first that the list has.
    pub(crate) fn parse(config: &PluginConfig) -> Self {
        let default = [DEFAULT_ADDRESS.to_owned()];
        let texts = if config.addresses.is_empty() {
            &default[..]
        } else {
            &config.addresses[..]
        };
        let mut servers = Servers {
            usable: Vec::new(),
            unreadable: Vec::new(),
            tls: config.security.tls.clone(),
            inbox_prefix: config.security.inbox_prefix.clone(),
            busy_poll: config.busy_poll.filter(|longest| !longest.is_zero()),
        };
        for text in texts {
            match Server::parse(text) {
                Ok(server) => servers.usable.push(server),
                Err(reason) => servers.unreadable.push(Refusal {
                    server: format!("{:?}", without_login(text)),
                    kind: ErrorKind::InvalidArgument,
                    reason,
                }),
            }
        }
        servers.share_login(config.security.login.clone());
        servers
    }

    /// Checks the subjects under which we are to be answered.
    ///
    /// Peers take what begins with `_INBOX.` for an address that is never given twice, and for no event.
    pub(crate) fn check_inbox(&self) -> Result<()> {
        let Some(prefix) = &self.inbox_prefix else {
            return Ok(());
        };
        let is_subject = name::check_topic(prefix).is_ok();
        match is_subject && prefix.starts_with("_INBOX.") && prefix.len() <= LONGEST_PREFIX {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "illegal inbox prefix {prefix:?}: it begins with _INBOX., has no wildcards, and no more than \
                     {LONGEST_PREFIX} bytes, such as _INBOX.greeter"
                ),
            )),
        }
    }

    /// What humans call those that can be used: a comma-separated list.
    pub(crate) fn names(&self) -> String {
        let names: Vec<_> = self.usable.iter().map(Server::name).collect();
        names.join(", ")
    }

    fn share_login(&mut self, given: Option<Login>) {
        let first = given.or_else(|| self.usable.iter().find_map(|server| server.login.clone()));
        for server in &mut self.usable {
            server.login = server.login.take().or_else(|| first.clone());
        }
    }
}

impl Server {
    /// What humans call it.
    pub(crate) fn name(&self) -> String {
        let (host, port) = (self.address.host(), self.address.port());
        if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
    }

    fn parse(text: &str) -> std::result::Result<Self, String> {
        let unreadable = |reason: String| format!("not an address of a NATS server ({reason})");
        let given: ServerAddr = text.parse().map_err(|error| unreadable(format!("{error}")))?;
        if !matches!(given.scheme(), "nats" | "tls") {
            return Err(unreadable("it begins with nats:// or tls://".to_owned()));
        }
        if given.host().is_empty() {
            return Err(unreadable("it names no host".to_owned()));
        }
        let login = login(&given);
        let mut url = given.into_inner();
        let stripped = url.set_password(None).and_then(|()| url.set_username(""));
        stripped.map_err(|()| unreadable("its credentials cannot be read".to_owned()))?;
        let address = ServerAddr::from_url(url).map_err(|error| unreadable(format!("{error}")))?;
        Ok(Server { address, login })
    }
}

fn login(address: &ServerAddr) -> Option<Login> {
    let user = percent_decoded(address.username()?);
    Some(match address.password() {
        Some(password) => Login::user(user, percent_decoded(password)),
        None => Login::Token(user.into()),
    })
}

/// `%41` means `A`; what is no such triple is kept as it is.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%').then(|| tail.get(..2).and_then(hex)).flatten();
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    u8::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use micro_core::plugin::Security;

    use super::*;

    fn parse(list: &str) -> Servers {
        Servers::parse(&PluginConfig::default().with_addresses(list))
    }

    #[test]
    fn an_empty_list_means_the_default_server() {
        let servers = parse("");
        assert_eq!(servers.usable.len(), 1);
        assert_eq!(servers.usable[0].name(), DEFAULT_ADDRESS);
    }

    #[test]
    fn addresses_keep_their_order_with_and_without_a_scheme() {
        let servers = parse("a, nats://b:1,tls://c:2 ,[::1]:3");
        let names: Vec<_> = servers.usable.iter().map(Server::name).collect();
        assert_eq!(names, ["a:4222", "b:1", "c:2", "[::1]:3"]);
        assert!(servers.usable[2].address.tls_required());
    }

    #[test]
    fn an_address_that_does_not_parse_does_not_hide_the_others() {
        let servers = parse("a:99999,b:2,http://c:3,:4");
        assert_eq!(servers.usable.len(), 1);
        let bad: Vec<_> = servers.unreadable.iter().map(|bad| bad.server.as_str()).collect();
        assert_eq!(bad, ["\"a:99999\"", "\"http://c:3\"", "\":4\""]);
    }

    #[test]
    fn credentials_come_from_the_address_and_do_not_stay_in_it() {
        let servers = parse("nats://ada:p%40ss@a:1,b:2,nats://secret@c:3");
        let logins: Vec<_> = servers.usable.iter().map(|server| server.login.clone()).collect();
        let ada = Some(Login::user("ada", "p@ss"));
        assert_eq!(logins, [ada.clone(), ada, Some(Login::Token("secret".into()))]);
        assert!(
            servers
                .usable
                .iter()
                .all(|server| !server.address.has_user_pass())
        );
        assert!(!format!("{servers:?}").contains("p@ss"));
    }

    #[test]
    fn an_address_without_credentials_gets_those_given_for_all() {
        let given = Login::CredentialsFile("ada.creds".into());
        let config = PluginConfig::default().with_addresses("nats://token@a,b");
        let servers = Servers::parse(&config.with_security(Security::default().with_login(given.clone())));
        let logins: Vec<_> = servers.usable.iter().map(|server| server.login.clone()).collect();
        assert_eq!(logins, [Some(Login::Token("token".into())), Some(given)]);
    }

    #[test]
    fn an_inbox_prefix_is_one_that_peers_know_as_such() {
        let check = |prefix: &str| {
            let security = Security::default().with_inbox_prefix(prefix);
            Servers::parse(&PluginConfig::default().with_security(security)).check_inbox()
        };
        check("_INBOX.greeter").unwrap();
        for prefix in [
            "",
            "_INBOX",
            "_INBOX.",
            "inbox.greeter",
            "_INBOX.*",
            "_INBOX.a b",
            &format!("_INBOX.{}", "a".repeat(122)),
        ] {
            let error = check(prefix).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains("_INBOX.greeter"), "{error}");
        }
    }

    #[test]
    fn an_error_does_not_show_credentials() {
        let servers = parse("nats://ada:secret@a:x");
        assert!(
            !servers.unreadable[0].to_string().contains("secret"),
            "{:?}",
            servers.unreadable
        );
    }
}
