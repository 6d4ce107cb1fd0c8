//! What a login says to a server, made anew for each connect.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use async_nats::{Auth, AuthError, ConnectOptions};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use micro_core::plugin::Login;
use micro_core::{Error, ErrorKind, Result};
use nkeys::KeyPair;
use tokio::task::spawn_blocking;

/// What a JWT is called in a credentials file.
const JWT: &str = "NATS USER JWT";

/// Options that say who we are. Files are read at each connect: credentials that do not last are renewed on disk.
pub(crate) fn options(login: Option<&Login>) -> ConnectOptions {
    let Some(login) = login.cloned() else {
        return ConnectOptions::new();
    };
    ConnectOptions::with_auth_callback(move |nonce| {
        let login = login.clone();
        async move {
            let answer = spawn_blocking(move || answer(&login, &nonce)).await;
            answer.map_err(AuthError::new)?.map_err(AuthError::new)
        }
    })
}

/// Whether a login can be used: what is wrong with its file is worth an error of its own.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] that names the file.
pub(crate) async fn check(login: &Login) -> Result<()> {
    let login = login.clone();
    let checked = spawn_blocking(move || answer(&login, &[]).map(drop)).await;
    checked.map_err(|error| Error::new(ErrorKind::Internal, "a login was not read").with_source(error))?
}

/// Why a server that asked for a login did not let us in.
pub(crate) fn refused(login: Option<&Login>) -> String {
    let refused = match login {
        None => {
            return "the server asks for credentials, and none were given: put them into the address \
                    (nats://user:password@host:port), or use --nats_user, --nats_token, --nats_nkey or --nats_creds"
                .to_owned();
        }
        Some(Login::User { name, .. }) => format!("user {name:?} or its password"),
        Some(Login::Token(_)) => "the token".to_owned(),
        Some(Login::NkeyFile(file)) => format!("the nkey of {}", file.display()),
        Some(Login::CredentialsFile(file)) => format!("the credentials of {}", file.display()),
        Some(_) => "the credentials".to_owned(),
    };
    match login.is_some_and(has_expired) {
        true => format!("the server refuses {refused}, whose JWT has expired: renew them"),
        false => format!("the server refuses {refused}; are they meant for this server, and still valid?"),
    }
}

/// Whether a login has a JWT that was valid until a time that has passed.
fn has_expired(login: &Login) -> bool {
    let expires = match login {
        Login::Credentials(text) => expiry(text.reveal()),
        // It was read a moment ago; nothing else waits for this task.
        Login::CredentialsFile(file) => read(file).ok().and_then(|text| expiry(&text)),
        _ => None,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    expires.is_some_and(|expires| expires <= now.as_secs())
}

/// In seconds of the clock, if the JWT says so.
fn expiry(text: &str) -> Option<u64> {
    let claims = section(text, JWT)?.split('.').nth(1)?;
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    claims["exp"].as_u64()
}

fn answer(login: &Login, nonce: &[u8]) -> Result<Auth> {
    match login {
        Login::User { name, password } => {
            let mut auth = Auth::new();
            auth.username = Some(name.clone());
            auth.password = Some(password.reveal().to_owned());
            Ok(auth)
        }
        Login::Token(token) => {
            let mut auth = Auth::new();
            auth.token = Some(token.reveal().to_owned());
            Ok(auth)
        }
        Login::Nkey(seed) => nkey(seed.reveal(), nonce),
        Login::NkeyFile(file) => nkey(&read(file)?, nonce).map_err(|error| about(error, file)),
        Login::Credentials(text) => credentials(text.reveal(), nonce),
        Login::CredentialsFile(file) => credentials(&read(file)?, nonce).map_err(|error| about(error, file)),
        _ => Err(Error::new(
            ErrorKind::Unsupported,
            "a login that NATS does not know",
        )),
    }
}

fn nkey(seed: &str, nonce: &[u8]) -> Result<Auth> {
    // A file may have comments around the seed.
    let seed = seed.lines().map(str::trim).find(|line| line.starts_with('S'));
    let pair = key_pair(seed)?;
    let mut auth = signed(&pair, nonce)?;
    auth.nkey = Some(pair.public_key());
    Ok(auth)
}

fn credentials(text: &str, nonce: &[u8]) -> Result<Auth> {
    let jwt = section(text, JWT).ok_or_else(|| invalid("there is no user JWT in the credentials"))?;
    let mut auth = signed(&key_pair(section(text, "USER NKEY SEED"))?, nonce)?;
    auth.jwt = Some(jwt.to_owned());
    Ok(auth)
}

fn signed(pair: &KeyPair, nonce: &[u8]) -> Result<Auth> {
    let mut auth = Auth::new();
    let signature = pair
        .sign(nonce)
        .map_err(|_| invalid("the nkey cannot sign: it is not a seed"))?;
    auth.signature = Some(signature);
    Ok(auth)
}

fn key_pair(seed: Option<&str>) -> Result<KeyPair> {
    let seed = seed.ok_or_else(|| invalid("there is no nkey seed; one begins with SU"))?;
    // What is wrong with a seed is not told: the words may hold it.
    KeyPair::from_seed(seed).map_err(|_| invalid("the nkey seed is damaged"))
}

/// The line between `-----BEGIN name-----` and its end.
fn section<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.starts_with("---") && line.contains(&format!("BEGIN {name}")))?;
    lines
        .find(|line| !line.is_empty())
        .filter(|line| !line.starts_with("---"))
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).map_err(|error| about(invalid(format!("it cannot be read: {error}")), file))
}

fn about(error: Error, file: &Path) -> Error {
    error.with_context("file", file.display())
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed() -> String {
        KeyPair::new_user().seed().unwrap()
    }

    fn creds(seed: &str) -> String {
        format!(
            "-----BEGIN NATS USER JWT-----\nhead.claims.signature\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )
    }

    #[test]
    fn credentials_hold_a_jwt_and_the_key_that_signs_for_it() {
        let text = creds(&seed()).replace('\n', "\r\n");
        let auth = answer(&Login::Credentials(text.into()), b"nonce").unwrap();
        assert_eq!(auth.jwt.as_deref(), Some("head.claims.signature"));
        assert_eq!(auth.signature.unwrap().len(), 64);
    }

    #[test]
    fn an_nkey_may_have_comments_around_it() {
        let seed = seed();
        let public = KeyPair::from_seed(&seed).unwrap().public_key();
        let auth = answer(&Login::Nkey(format!("# of ada\n{seed}\n").into()), b"nonce").unwrap();
        assert_eq!(auth.nkey, Some(public));
    }

    #[test]
    fn what_is_wrong_with_credentials_does_not_show_them() {
        let damaged = format!("{}X", seed());
        for text in ["", "nothing", &creds(&damaged), &creds("")] {
            let error = answer(&Login::Credentials(text.into()), b"").err().unwrap();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(!format!("{error:?}").contains(&damaged), "{error:?}");
        }
        let error = answer(&Login::Nkey(damaged.clone().into()), b"").err().unwrap();
        assert!(!format!("{error:?}").contains(&damaged), "{error:?}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = answer(&Login::CredentialsFile("nowhere/ada.creds".into()), b"")
            .err()
            .unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("nowhere/ada.creds"), "{error}");
    }
}
