//! An operator with one account, who signs for users: what `nsc` makes of keys, by hand.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

/// An operator, and its account.
pub(crate) struct Operator {
    operator: KeyPair,
    account: KeyPair,
}

/// Somebody whom the account lets in.
pub(crate) struct User {
    key: KeyPair,
    /// What a credentials file holds.
    pub(crate) credentials: String,
}

impl User {
    /// By which the server knows them.
    pub(crate) fn public_key(&self) -> String {
        self.key.public_key()
    }
}

impl Operator {
    pub(crate) fn new() -> Self {
        Operator {
            operator: KeyPair::new_operator(),
            account: KeyPair::new_account(),
        }
    }

    /// A server's configuration, which knows operator and account.
    pub(crate) fn config(&self) -> String {
        let operator = token(
            &self.operator,
            &self.operator.public_key(),
            json!({"type": "operator"}),
            None,
        );
        let limits = json!({
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1,
            "leaf": -1
        });
        let claims = json!({"type": "account", "limits": limits});
        let account = token(&self.operator, &self.account.public_key(), claims, None);
        format!(
            "operator: {operator}\nresolver: MEMORY\nresolver_preload: {{ {}: {account} }}",
            self.account.public_key()
        )
    }

    /// Signs for a new user, who is let in for so many seconds from now.
    pub(crate) fn user(&self, seconds: i64) -> User {
        let key = KeyPair::new_user();
        let claims = json!({"type": "user", "subs": -1, "data": -1, "payload": -1});
        let jwt = token(&self.account, &key.public_key(), claims, Some(now() + seconds));
        let seed = key.seed().unwrap();
        let credentials = format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        );
        User { key, credentials }
    }
}

/// Claims about a subject, signed by an issuer.
fn token(issuer: &KeyPair, subject: &str, mut nats: Value, expires: Option<i64>) -> String {
    nats["version"] = json!(2);
    let mut claims = json!({
        "jti": subject, "iat": now(), "iss": issuer.public_key(), "name": "test", "sub": subject, "nats": nats
    });
    if let Some(expires) = expires {
        claims["exp"] = json!(expires);
    }
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let head = json!({"typ": "JWT", "alg": "ed25519-nkey"});
    let signed = format!("{}.{}", part(&head), part(&claims));
    let signature = issuer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs().try_into().unwrap()
}
