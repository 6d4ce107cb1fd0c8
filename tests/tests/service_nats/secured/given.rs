//! By flags, and by the environment.

use std::process::Command;

use micro::Service;
use micro_core::ErrorKind;

use super::authority::{Authority, Folder, Valid};
use super::operator::Operator;
use super::{says, server};
use crate::{double, doubling, nothing};

const CHILD: &str = "secured::given::starts_as_the_environment_says";

/// A service with all three plugins at this server, and these arguments besides.
async fn start(address: &str, more: &[String]) -> micro_core::Result<Service> {
    let backends = ["transport", "broker", "registry"]
        .map(|kind| [format!("--{kind}=nats"), format!("--{kind}_address={address}")]);
    let arguments = std::iter::once("service".to_owned()).chain(backends.into_iter().flatten());
    Service::try_from_args("test", arguments.chain(more.iter().cloned()))
        .unwrap()
        .serve(doubling())
        .subscribe("topic", nothing)
        .start()
        .await
}

#[tokio::test]
async fn flags_say_who_we_are_and_whom_we_trust() {
    let (authority, operator, folder) = (Authority::new(), Operator::new(), Folder::new());
    let pair = authority.vouch("127.0.0.1", Valid::Now);
    let server = server(&format!(
        "{}\n{}",
        operator.config(),
        authority.tls(&pair, "verify: true")
    ))
    .await;
    let ours = authority.vouch("client", Valid::Now);
    let creds = folder.write("ada.creds", &operator.user(3600).credentials);
    let mut flags = vec![
        format!("--nats_creds={}", creds.display()),
        format!("--nats_tlsca={}", authority.ca.display()),
        format!("--nats-tlscert={}", ours.cert.display()),
        format!("--nats-tlskey={}", ours.key.display()),
    ];
    let service = start(&server.address(), &flags).await.unwrap();
    assert_eq!(double(service.client(), 21).await, Ok(42));
    let page = server.monitor("/connz").await;
    assert_eq!(page["num_connections"], 1, "the plugins share one connection");
    flags[0] = format!("--nats_creds={}", folder.missing().display());
    let error = start(&server.address(), &flags).await.unwrap_err();
    says(&error, ErrorKind::InvalidArgument, &["missing.pem"]);
}

/// Runs this test binary again, since no test may change the environment of all the others.
fn in_environment(variables: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", CHILD])
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
#[ignore = "the environment tests run it"]
async fn starts_as_the_environment_says() {
    let address = std::env::var("TEST_ADDRESS").unwrap();
    match start(&address, &[]).await {
        Ok(service) => println!("answered {:?}", double(service.client(), 21).await),
        Err(error) => println!("refused {error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_environment_says_who_we_are_and_whom_we_trust() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let known = nkeys::KeyPair::new_user();
    let tls = authority.tls(&authority.vouch("127.0.0.1", Valid::Now), "");
    let users = [
        "authorization { user: ada, password: hush }".to_owned(),
        "authorization { token: hush }".to_owned(),
        format!(
            "authorization {{ users: [ {{ nkey: {} }} ] }}",
            known.public_key()
        ),
    ];
    let seed = folder.write("ada.nk", &known.seed().unwrap());
    let seed = seed.display().to_string();
    let logins: [&[(&str, &str)]; 3] = [
        &[("NATS_USER", "ada"), ("NATS_PASSWORD", "hush")],
        &[("NATS_TOKEN", "hush")],
        &[("NATS_NKEY", &seed)],
    ];
    let ca = authority.ca.display().to_string();
    for (users, login) in users.iter().zip(logins) {
        let server = server(&format!("{users}\n{tls}")).await;
        let address = server.address();
        let common = [("TEST_ADDRESS", &*address), ("NATS_CA", &ca)];
        let said = in_environment(&[&common, login].concat());
        assert!(said.contains("answered Ok(42)"), "{login:?}: {said}");
        let said = in_environment(&common);
        assert!(said.contains("none were given"), "{said}");
    }
}

#[test]
fn two_logins_at_once_are_a_usage_error() {
    for flags in [
        &["--nats_user=ada", "--nats_password=hush", "--nats_token=hush"][..],
        &["--nats_token=hush", "--nats_creds=a"],
        &["--nats_nkey=a", "--nats_creds=a"],
        &["--nats_user=ada"],
        &["--nats_password=hush"],
        &["--nats_tlscert=a"],
        &["--nats_tlskey=a"],
    ] {
        let arguments = std::iter::once("test").chain(flags.iter().copied());
        let error = Service::try_from_args("test", arguments).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{flags:?}");
        assert!(error.to_string().contains("--nats_"), "{error}");
        assert!(!error.to_string().contains("hush"), "{error}");
    }
}

#[test]
fn nothing_secret_is_printed() {
    let arguments = [
        "test",
        "--nats_user=ada",
        "--nats_password=hush",
        "--transport_address=nats://bob:hush@host",
    ];
    let builder = Service::try_from_args("test", arguments).unwrap();
    let said = format!("{builder:?} {:?}", builder.settings().unwrap());
    assert!(
        said.contains("ada") && said.contains("***@host") && !said.contains("hush"),
        "{said}"
    );
    let help = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "secured::given::prints_its_help",
        ])
        .envs([
            ("NATS_PASSWORD", "hush"),
            ("NATS_TOKEN", "hush"),
            ("MICRO_BROKER_ADDRESS", "hush@host"),
        ])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("NATS_TOKEN") && !help.contains("hush"), "{help}");
}

#[test]
#[ignore = "the test of what is printed runs it"]
fn prints_its_help() {
    println!(
        "{}",
        Service::try_from_args("test", ["test", "--help"]).unwrap_err()
    );
}
