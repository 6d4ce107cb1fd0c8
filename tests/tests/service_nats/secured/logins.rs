//! Users, tokens, nkeys and credentials.

use micro_core::ErrorKind;
use micro_core::plugin::{Login, Security};
use nats_common::{Connection, Outgoing};
use nkeys::KeyPair;

use super::authority::Folder;
use super::operator::Operator;
use super::{by, denies, lets_in, refuses, server};

const HOUR: i64 = 3600;

#[tokio::test]
async fn a_user_gets_in_by_name_and_password() {
    let server = server("authorization { user: ada, password: hush }").await;
    let address = server.address();
    lets_in(&address, &by(Login::user("ada", "hush"))).await;
    let words = [&*address, "\"ada\"", "password"];
    let wrong = by(Login::user("ada", "hushhush"));
    denies(&address, &wrong, &words).await;
    let words = [&*address, "none were given", "--nats_creds"];
    denies(&address, &Security::default(), &words).await;
}

#[tokio::test]
async fn a_login_in_the_address_beats_the_one_for_all() {
    let server = server("authorization { user: ada, password: hush }").await;
    let address = format!("nats://ada:hush@{}", server.address());
    lets_in(&address, &by(Login::Token("wrong".into()))).await;
}

#[tokio::test]
async fn whoever_has_the_token_gets_in() {
    let server = server("authorization { token: hush }").await;
    let address = server.address();
    lets_in(&address, &by(Login::Token("hush".into()))).await;
    let wrong = by(Login::Token("hushhush".into()));
    denies(&address, &wrong, &[&address, "the token"]).await;
}

#[tokio::test]
async fn an_nkey_gets_in_by_its_seed_or_a_file_of_it() {
    let (known, stranger, folder) = (KeyPair::new_user(), KeyPair::new_user(), Folder::new());
    let users = format!(
        "authorization {{ users: [ {{ nkey: {} }} ] }}",
        known.public_key()
    );
    let server = server(&users).await;
    let address = server.address();
    let file = |name: &str, pair: &KeyPair| folder.write(name, &format!("{}\n", pair.seed().unwrap()));
    lets_in(&address, &by(Login::Nkey(known.seed().unwrap().into()))).await;
    lets_in(&address, &by(Login::NkeyFile(file("known.nk", &known)))).await;
    let wrong = by(Login::NkeyFile(file("stranger.nk", &stranger)));
    denies(&address, &wrong, &[&address, "stranger.nk"]).await;
}

#[tokio::test]
async fn credentials_get_in_while_they_last() {
    let (operator, folder) = (Operator::new(), Folder::new());
    let server = server(&operator.config()).await;
    let address = server.address();
    let ada = operator.user(HOUR).credentials;
    lets_in(
        &address,
        &by(Login::CredentialsFile(folder.write("ada.creds", &ada))),
    )
    .await;
    lets_in(&address, &by(Login::Credentials(ada.into()))).await;
    let old = folder.write("old.creds", &operator.user(-HOUR).credentials);
    let words = [&*address, "old.creds", "expired"];
    denies(&address, &by(Login::CredentialsFile(old)), &words).await;
    let other = folder.write("other.creds", &Operator::new().user(HOUR).credentials);
    let words = [&*address, "other.creds"];
    denies(&address, &by(Login::CredentialsFile(other)), &words).await;
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named_before_anything_is_sent() {
    let folder = Folder::new();
    let broken = folder.write("broken.creds", "hush");
    let nowhere = "127.0.0.1:1";
    for (login, word) in [
        (Login::CredentialsFile(broken.clone()), "broken.creds"),
        (Login::NkeyFile(broken), "broken.creds"),
        (Login::CredentialsFile(folder.missing()), "missing.pem"),
        (Login::NkeyFile(folder.missing()), "missing.pem"),
    ] {
        refuses(nowhere, &by(login), ErrorKind::InvalidArgument, &[word]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewed_credentials_count_from_the_next_connect_on() {
    let (operator, folder) = (Operator::new(), Folder::new());
    let mut server = server(&operator.config()).await;
    let (first, second) = (operator.user(HOUR), operator.user(HOUR));
    let file = folder.write("ada.creds", &first.credentials);
    let config = micro_core::PluginConfig::default().with_addresses(&server.address());
    let config = config.with_security(by(Login::CredentialsFile(file)));
    let connection = Connection::open(&config).await.unwrap();
    assert_eq!(known_as(&server).await, first.public_key());
    folder.write("ada.creds", &second.credentials);
    server.restart().await;
    // Waits for the connection, and for the server to have taken note of it.
    while connection.publish(Outgoing::new("a", "")).await.is_err() || connection.fence().await.is_err() {}
    assert_eq!(known_as(&server).await, second.public_key());
}

async fn known_as(server: &micro_conformance::nats_server::NatsServer) -> String {
    let page = server.monitor("/connz?auth=true").await;
    page["connections"][0]["authorized_user"]
        .as_str()
        .unwrap()
        .to_owned()
}
