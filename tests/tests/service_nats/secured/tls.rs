//! Certificates: of the server, and of ours.

use micro_core::ErrorKind;
use micro_core::plugin::{Login, Security, Tls};

use super::authority::{Authority, Folder, Valid};
use super::{denies, lets_in, refuses, server};

fn trusting(authority: &Authority) -> Tls {
    Tls::default().with_ca(&authority.ca)
}

fn with(tls: Tls) -> Security {
    Security::default().with_tls(tls)
}

#[tokio::test]
async fn a_server_is_trusted_by_its_authority() {
    let authority = Authority::new();
    let server = server(&authority.tls(&authority.vouch("127.0.0.1", Valid::Now), "")).await;
    for address in [
        server.address(),
        server.url(),
        format!("tls://{}", server.address()),
    ] {
        lets_in(&address, &with(trusting(&authority))).await;
    }
    let address = server.address();
    let words = [&*address, "authority", "--nats_tlsca"];
    denies(&address, &Security::default(), &words).await;
    let words = [&*address, "authority", "ca.pem"];
    let other = Authority::new();
    denies(&address, &with(trusting(&other)), &words).await;
}

#[tokio::test]
async fn an_expired_certificate_is_refused_by_that_word() {
    let authority = Authority::new();
    let server = server(&authority.tls(&authority.vouch("127.0.0.1", Valid::LongAgo), "")).await;
    let words = [&*server.address(), "expired"];
    let security = with(trusting(&authority));
    denies(&server.address(), &security, &words).await;
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused_by_both_names() {
    let authority = Authority::new();
    let server = server(&authority.tls(&authority.vouch("elsewhere.example", Valid::Now), "")).await;
    let words = [&*server.address(), "127.0.0.1", "elsewhere.example"];
    let security = with(trusting(&authority));
    denies(&server.address(), &security, &words).await;
}

#[tokio::test]
async fn a_server_may_ask_for_our_certificate() {
    let authority = Authority::new();
    let config = authority.tls(&authority.vouch("127.0.0.1", Valid::Now), "verify: true");
    let server = server(&config).await;
    let address = server.address();
    let showing = |authority: &Authority, name: &str, valid| {
        let pair = authority.vouch(name, valid);
        with(Tls::default().with_certificate(pair.cert, pair.key))
    };
    let mut known = showing(&authority, "client", Valid::Now);
    known.tls.ca = Some(authority.ca.clone());
    lets_in(&address, &known).await;
    let words = [&*address, "--nats_tlscert"];
    denies(&address, &with(trusting(&authority)), &words).await;
    let stranger = Authority::new();
    for mut security in [
        showing(&stranger, "stranger", Valid::Now),
        showing(&authority, "old", Valid::LongAgo),
    ] {
        security.tls.ca = Some(authority.ca.clone());
        let words = [&*address, "refuses our certificate"];
        denies(&address, &security, &words).await;
    }
}

#[tokio::test]
async fn a_certificate_may_be_the_login() {
    let authority = Authority::new();
    let pair = authority.vouch("ada.example", Valid::Now);
    let users = "authorization { users: [ { user: \"ada.example\" } ] }";
    let tls = authority.tls(&authority.vouch("127.0.0.1", Valid::Now), "verify_and_map: true");
    let server = server(&format!("{users}\n{tls}")).await;
    let ours = trusting(&authority).with_certificate(&pair.cert, &pair.key);
    lets_in(&server.address(), &with(ours)).await;
}

#[tokio::test]
async fn tls_comes_first_where_the_server_says_so() {
    let authority = Authority::new();
    let pair = authority.vouch("127.0.0.1", Valid::Now);
    let server = server(&authority.tls(&pair, "handshake_first: true")).await;
    lets_in(&server.address(), &with(trusting(&authority).first())).await;
}

#[tokio::test]
async fn a_server_without_tls_gets_no_login_of_those_who_want_it() {
    let server = server("authorization { user: ada, password: hush }").await;
    let security = with(Tls::default().required()).with_login(Login::user("ada", "hush"));
    let address = server.address();
    denies(&address, &security, &[&address, "TLS"]).await;
    let scheme = format!("tls://{address}");
    let security = Security::default().with_login(Login::user("ada", "hush"));
    denies(&scheme, &security, &[&address, "TLS"]).await;
    assert!(!server.log().contains("hush"));
}

#[tokio::test]
async fn a_server_that_is_not_trusted_does_not_hide_the_next() {
    let authority = Authority::new();
    let old = server(&authority.tls(&authority.vouch("127.0.0.1", Valid::LongAgo), "")).await;
    let good = server(&authority.tls(&authority.vouch("localhost", Valid::Now), "")).await;
    let list = format!(
        "{},{}",
        old.address(),
        good.address().replace("127.0.0.1", "localhost")
    );
    lets_in(&list, &with(trusting(&authority))).await;
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let pair = authority.vouch("client", Valid::Now);
    let empty = folder.write("empty.pem", "hush");
    for (tls, word) in [
        (Tls::default().with_ca(folder.missing()), "missing.pem"),
        (Tls::default().with_ca(&empty), "empty.pem"),
        (Tls::default().with_certificate(&empty, &pair.key), "empty.pem"),
        (Tls::default().with_certificate(&pair.cert, &empty), "empty.pem"),
        (
            Tls::default().with_certificate(&pair.cert, folder.missing()),
            "missing.pem",
        ),
    ] {
        refuses("127.0.0.1:1", &with(tls), ErrorKind::InvalidArgument, &[word]).await;
    }
    let mut half = Tls::default();
    half.cert = Some(pair.cert);
    refuses(
        "127.0.0.1:1",
        &with(half),
        ErrorKind::InvalidArgument,
        &["--nats_tlskey"],
    )
    .await;
}
