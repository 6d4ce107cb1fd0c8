//! Who we are to the servers of a backend, and how we know that they are the right ones.

use std::fmt;
use std::path::PathBuf;

/// Who we are to the servers of a backend, and how we know that they are the right ones.
///
/// A backend without servers has no use for it. What is secret is never shown: not by `Debug`, not by an error.
///
/// ```
/// use micro_core::plugin::{Login, Security, Tls};
///
/// let security = Security::default()
///     .with_login(Login::user("ada", "a secret"))
///     .with_tls(Tls::default().with_ca("ca.pem"));
/// assert!(!format!("{security:?}").contains("a secret"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Security {
    /// What the servers want to see. An address with a login of its own (`user:password@host`) beats it. Default: none.
    pub login: Option<Login>,
    /// How the way there is kept private. Default: as each server asks for.
    pub tls: Tls,
    /// Under which subjects peers answer us, so that permissions can keep others from listening there. On NATS it begins
    /// with `_INBOX.`, as in `_INBOX.greeter`. Default: `_INBOX`, which all share.
    pub inbox_prefix: Option<String>,
}

impl Security {
    /// Sets what the servers want to see.
    #[must_use]
    pub fn with_login(mut self, login: Login) -> Self {
        self.login = Some(login);
        self
    }

    /// Sets how the way there is kept private.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Sets under which subjects peers answer us.
    #[must_use]
    pub fn with_inbox_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.inbox_prefix = Some(prefix.into());
        self
    }
}

/// What a server wants to see before it lets us in.
///
/// Files are read at each connect, so what is renewed on disk counts from the next one on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Login {
    /// A name and a password.
    User {
        /// Who.
        name: String,
        /// Known to this user and the server.
        password: Secret,
    },
    /// A token, known to all that may connect.
    Token(Secret),
    /// The seed of a user's nkey (`SU…`), which signs what the server asks; it never leaves the process.
    Nkey(Secret),
    /// A file that holds such a seed.
    NkeyFile(PathBuf),
    /// What a credentials file holds: a user's JWT, and the seed that signs for it.
    Credentials(Secret),
    /// A credentials file (`.creds`).
    CredentialsFile(PathBuf),
}

impl Login {
    /// A name and a password.
    pub fn user(name: impl Into<String>, password: impl Into<Secret>) -> Self {
        Login::User {
            name: name.into(),
            password: password.into(),
        }
    }
}

/// How the way to a server is kept private. Files are in PEM, and read at each connect.
///
/// When anything is set here, a server that offers no TLS is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Tls {
    /// The authorities that may vouch for a server. Default: those of the system.
    pub ca: Option<PathBuf>,
    /// The certificate that vouches for us, with those between it and its authority; needs `key`.
    pub cert: Option<PathBuf>,
    /// The private key of `cert`.
    pub key: Option<PathBuf>,
    /// Begin with TLS, instead of asking in plain text first: for servers set up so (`handshake_first`).
    pub first: bool,
    /// Refuse a server that offers no TLS, also when nothing else is set.
    pub required: bool,
}

impl Tls {
    /// Sets the file of the authorities that may vouch for a server.
    #[must_use]
    pub fn with_ca(mut self, file: impl Into<PathBuf>) -> Self {
        self.ca = Some(file.into());
        self
    }

    /// Sets the files of the certificate that vouches for us, and of its private key.
    #[must_use]
    pub fn with_certificate(mut self, cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.cert = Some(cert.into());
        self.key = Some(key.into());
        self
    }

    /// Begins with TLS, instead of asking in plain text first.
    #[must_use]
    pub fn first(mut self) -> Self {
        self.first = true;
        self
    }

    /// Refuses a server that offers no TLS.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Whether a server that offers no TLS is refused.
    pub fn is_required(&self) -> bool {
        *self != Tls::default()
    }
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// What is kept. Whoever takes it out answers for where it goes.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Self {
        Secret(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// An address as it may be shown: what stands before its last `@` is nobody's business.
pub fn without_login(address: &str) -> String {
    let Some((before, place)) = address.rsplit_once('@') else {
        return address.to_owned();
    };
    let scheme = before.split_once("://").map(|(scheme, _)| scheme);
    match scheme.filter(|scheme| scheme.chars().all(char::is_alphanumeric)) {
        Some(scheme) => format!("{scheme}://***@{place}"),
        None => format!("***@{place}"),
    }
}

/// Shows addresses without their logins.
pub fn show_addresses(addresses: &[String]) -> impl fmt::Debug + use<> {
    addresses
        .iter()
        .map(|address| without_login(address))
        .collect::<Vec<_>>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown() {
        let logins = [
            Login::user("ada", "hush"),
            Login::Token("hush".into()),
            Login::Nkey("hush".into()),
            Login::Credentials("hush".into()),
        ];
        for login in logins {
            let shown = format!("{:?}", Security::default().with_login(login));
            assert!(shown.contains("***") && !shown.contains("hush"), "{shown}");
        }
    }

    #[test]
    fn an_address_is_shown_without_its_login() {
        for (address, shown) in [
            ("host:4222", "host:4222"),
            ("nats://ada:hush@host:4222", "nats://***@host:4222"),
            ("hush@host", "***@host"),
            ("tls://ada:hu@sh@host?a=b", "tls://***@host?a=b"),
            ("ada:hu://sh@host", "***@host"),
        ] {
            assert_eq!(without_login(address), shown);
        }
    }

    #[test]
    fn any_wish_for_tls_requires_it() {
        assert!(!Tls::default().is_required());
        for tls in [
            Tls::default().with_ca("ca.pem"),
            Tls::default().with_certificate("a.pem", "b.pem"),
            Tls::default().first(),
            Tls::default().required(),
        ] {
            assert!(tls.is_required(), "{tls:?}");
        }
    }
}
