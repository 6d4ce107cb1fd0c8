use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use micro_core::memory::{MemoryBroker, MemoryRegistry};
use micro_core::plugin::{Login, Security, Tls};
use micro_core::{ErrorKind, Registry};

use super::*;
use crate::{PluginChoice, Service, ServiceBuilder, default_plugins};

fn parse(args: &[&str]) -> Result<ServiceBuilder, clap::Error> {
    Service::try_from_args("greeter", [&["greeter"], args].concat())
}

fn config(args: &[&str]) -> Config {
    parse(args).unwrap().settings().unwrap()
}

fn refused(args: &[&str]) -> String {
    let error = parse(args).unwrap_err();
    assert_eq!(error.exit_code(), 2, "{args:?}");
    error.to_string()
}

#[test]
fn every_flag_does_something_in_both_spellings() {
    type Read = fn(&Config) -> String;
    let cases: [(&str, &str, &str, Read); 22] = [
        ("transport", "memory", "memory", |c| {
            c.backends.transport.plugin.clone()
        }),
        ("broker", "memory", "memory", |c| c.backends.broker.plugin.clone()),
        ("registry", "memory", "memory", |c| {
            c.backends.registry.plugin.clone()
        }),
        ("transport_address", "a, tls://b", r#"["a", "tls://b"]"#, |c| {
            format!("{:?}", c.backends.transport.addresses)
        }),
        ("broker_address", "a", r#"["a"]"#, |c| {
            format!("{:?}", c.backends.broker.addresses)
        }),
        ("registry_address", "a", r#"["a"]"#, |c| {
            format!("{:?}", c.backends.registry.addresses)
        }),
        ("server_name", "other", "other", |c| c.name.clone()),
        ("server_version", "2.0", "2.0", |c| c.version.clone()),
        ("server_id", "me", r#"Some("me")"#, |c| format!("{:?}", c.id)),
        ("server_address", "a.b", r#"Some("a.b")"#, |c| {
            format!("{:?}", c.address)
        }),
        ("server_advertise", "a.b", r#"Some("a.b")"#, |c| {
            format!("{:?}", c.advertise)
        }),
        ("server_metadata", "zone=a=b", r#"{"zone": "a=b"}"#, |c| {
            format!("{:?}", c.metadata)
        }),
        ("register_ttl", "2m", "120s", |c| format!("{:?}", c.register_ttl)),
        ("register_interval", "500ms", "500ms", |c| {
            format!("{:?}", c.refresh_interval())
        }),
        ("client_request_timeout", "7", "7s", |c| {
            format!("{:?}", c.backends.client.request_timeout)
        }),
        ("client_retries", "3", "3", |c| {
            c.backends.client.retries.to_string()
        }),
        ("client_retry_budget", "0.5", "0.5", |c| {
            c.backends.client.retry_budget.ratio.to_string()
        }),
        ("client_backoff", "2s", "2s 2s", |c| {
            let backoff = c.backends.client.backoff;
            format!("{:?} {:?}", backoff.base, backoff.max)
        }),
        ("client_hedge", "50ms", "Some(After(50ms))", |c| {
            format!("{:?}", c.backends.client.hedge)
        }),
        ("client_hedge", "p95", "Some(Percentile(0.95))", |c| {
            format!("{:?}", c.backends.client.hedge)
        }),
        ("client_eject_after", "7", "7", |c| {
            c.backends
                .client
                .outlier_detection
                .consecutive_failures
                .to_string()
        }),
        ("selector", "zone:eu-1+peak-ewma", "zone:eu-1+peak-ewma", |c| {
            c.backends.selector.clone()
        }),
    ];
    for (flag, value, expected, read) in cases {
        for flag in [flag.to_owned(), flag.replace('_', "-")] {
            assert_eq!(read(&config(&[&format!("--{flag}={value}")])), expected, "{flag}");
        }
    }
}

#[cfg(feature = "nats")]
#[test]
fn every_flag_of_nats_holds_for_all_three_plugins() {
    for (flags, expected) in [
        (
            &["nats_user=ada", "nats_password=hush"][..],
            r#"User { name: "ada", password: *** }"#,
        ),
        (&["nats_token=hush"], "Token(***)"),
        (&["nats_nkey=a.nk"], r#"NkeyFile("a.nk")"#),
        (&["nats_creds=a.creds"], r#"CredentialsFile("a.creds")"#),
        (&["nats_tlsca=ca.pem"], r#"ca: Some("ca.pem")"#),
        (
            &["nats_tlscert=c.pem", "nats_tlskey=k.pem"],
            r#"cert: Some("c.pem"), key: Some("k.pem")"#,
        ),
        (&["nats_tlsfirst"], "first: true"),
        (
            &["nats_inbox_prefix=_INBOX.ada"],
            r#"inbox_prefix: Some("_INBOX.ada")"#,
        ),
    ] {
        let written: Vec<_> = flags.iter().map(|flag| format!("--{flag}")).collect();
        let hyphened = |flag: &String| {
            let name = flag.split('=').next().unwrap_or_default();
            flag.replacen(name, &name.replace('_', "-"), 1)
        };
        let hyphens: Vec<_> = written.iter().map(hyphened).collect();
        for args in [written, hyphens] {
            let args: Vec<_> = args.iter().map(String::as_str).collect();
            let backends = config(&args).backends;
            for choice in [backends.transport, backends.broker, backends.registry] {
                let said = format!("{:?}", choice.security);
                assert!(said.contains(expected), "{args:?}: {said}");
            }
        }
    }
}

#[cfg(feature = "nats")]
#[test]
fn busy_polling_is_of_microseconds_and_holds_for_all_three_plugins() {
    for (value, expected) in [("50us", Duration::from_micros(50)), ("0", Duration::ZERO)] {
        for flag in ["nats_busy_poll", "nats-busy-poll"] {
            let backends = config(&[&format!("--{flag}={value}")]).backends;
            for choice in [backends.transport, backends.broker, backends.registry] {
                assert_eq!(choice.busy_poll, Some(expected), "{flag}={value}");
            }
        }
    }
    for value in ["50", "1", "11ms", "soon", "-1us", ""] {
        let error = refused(&[&format!("--nats_busy_poll={value}")]);
        assert!(error.contains("50us"), "{value}: {error}");
    }
}

#[cfg(feature = "nats")]
#[test]
fn no_flag_leaves_the_busy_polling_of_code_and_a_flag_beats_it() {
    let choice = || PluginChoice::new("nats").with_busy_poll(Duration::from_micros(20));
    for (args, expected) in [(&[][..], 20), (&["--nats_busy_poll=50us"], 50)] {
        let config = parse(args).unwrap().broker_plugin(choice()).settings().unwrap();
        let said = config.backends.broker.busy_poll;
        assert_eq!(said, Some(Duration::from_micros(expected)));
    }
}

#[cfg(feature = "nats")]
#[test]
fn a_flag_of_nats_beats_the_login_of_code_and_leaves_the_rest() {
    let security = Security::default()
        .with_login(Login::Token("code".into()))
        .with_tls(Tls::default().with_ca("code.pem"));
    let choice = PluginChoice::new("nats").with_security(security);
    let builder = parse(&["--broker_address=there", "--nats_nkey=flag.nk"]).unwrap();
    let config = builder.broker_plugin(choice).settings().unwrap();
    let security = config.backends.broker.security;
    assert_eq!(security.login, Some(Login::NkeyFile("flag.nk".into())));
    assert_eq!(security.tls.ca, Some("code.pem".into()));
}

#[test]
fn a_flag_beats_code_whatever_came_first() {
    let flags = [
        "--server_version=2.0",
        "--server_metadata=zone=b",
        "--server_id=flag",
        "--register_ttl=60",
    ];
    let builder = parse(&flags).unwrap();
    let config = builder
        .version("1.0.0")
        .metadata("zone", "a")
        .metadata("rack", "1")
        .id("code")
        .settings()
        .unwrap();
    assert_eq!(
        (config.version.as_str(), config.id.as_deref()),
        ("2.0", Some("flag"))
    );
    assert_eq!(format!("{:?}", config.metadata), r#"{"rack": "1", "zone": "b"}"#);
    assert_eq!(config.refresh_interval(), Duration::from_secs(20));
}

#[test]
fn code_beats_the_default_where_no_flag_is_given() {
    let config = parse(&[])
        .unwrap()
        .version("1.0.0")
        .selector("least_loaded")
        .settings()
        .unwrap();
    assert_eq!(
        (config.version.as_str(), config.backends.selector.as_str()),
        ("1.0.0", "least_loaded")
    );
}

#[test]
fn metadata_is_repeatable_and_comma_separated() {
    let config = config(&["--server_metadata=a=1,b=2", "--server_metadata", "c=3"]);
    assert_eq!(
        format!("{:?}", config.metadata),
        r#"{"a": "1", "b": "2", "c": "3"}"#
    );
}

#[test]
fn an_unknown_name_lists_the_known() {
    let error = refused(&["--transport=pigeon"]);
    assert!(
        error.contains("--transport") && error.contains("known: memory"),
        "{error}"
    );
    let error = refused(&["--selector=best"]);
    assert!(
        error.contains("known: random, round_robin, least_loaded"),
        "{error}"
    );
}

#[test]
fn a_malformed_value_says_how_to_write_it() {
    for duration in ["soon", "0", "0s", "-1", ""] {
        refused(&[&format!("--register_ttl={duration}")]);
    }
    assert!(refused(&["--register_ttl=soon"]).contains("90s"));
    assert!(refused(&["--server_metadata=zone"]).contains("key=value"));
    assert!(refused(&["--server_name=two words"]).contains("white space"));
    for ratio in ["-0.1", "1001", "NaN", "much"] {
        assert!(refused(&[&format!("--client_retry_budget={ratio}")]).contains("0 to 1000"));
    }
    for hedge in ["p101", "p", "pNaN"] {
        assert!(refused(&[&format!("--client_hedge={hedge}")]).contains("p95"));
    }
    assert!(refused(&["--client_retries=-1"]).contains("invalid value"));
    refused(&["--server_address="]);
    refused(&["--no-such-flag"]);
    refused(&["stray"]);
}

#[test]
fn settings_that_cannot_work_together_are_a_usage_error() {
    assert!(refused(&["--register_ttl=10s", "--register_interval=10s"]).contains("age out"));
    assert!(refused(&["--server_metadata=protocol=grpc"]).contains("framework's own"));
    assert!(refused(&["--server_id=two words"]).contains("white space"));
}

#[test]
fn help_is_not_a_failure_and_lists_the_plugins() {
    let error = parse(&["--help"]).unwrap_err();
    assert_eq!(error.exit_code(), 0);
    let help = error.to_string();
    assert!(help.contains("What carries events: memory"), "{help}");
    for flag in [
        "--server_metadata <K=V>",
        "MICRO_SERVER_METADATA",
        "--selector <NAME>",
        "MICRO_SELECTOR",
    ] {
        assert!(help.contains(flag), "{flag} in {help}");
    }
    assert_eq!(parse(&["--version"]).unwrap_err().exit_code(), 0);
}

#[test]
fn help_lists_the_plugins_of_code() {
    let mut plugins = default_plugins();
    plugins
        .broker
        .register("mine", async |_| Ok(Arc::new(MemoryBroker::new()) as _));
    let help = try_parse::<Flags>("greeter", &plugins, ["greeter", "--help"])
        .unwrap_err()
        .to_string();
    assert!(help.contains("mine"), "{help}");
    let flags = try_parse::<Flags>("greeter", &plugins, ["greeter", "--broker=mine"]).unwrap();
    assert_eq!(flags.backends.broker.as_deref(), Some("mine"));
}

#[test]
fn flags_of_ones_own_stand_beside_these() {
    #[derive(clap::Parser)]
    #[command(about = "Greets.")]
    struct Cli {
        #[arg(long)]
        greeting: String,
        #[command(flatten)]
        micro: Flags,
    }
    let cli = <Cli as clap::Parser>::parse_from([
        "greeter",
        "--greeting=Hi",
        "--server_version=3",
        "--broker=pigeon",
    ]);
    assert_eq!(cli.greeting, "Hi");
    let error = Service::from_flags("greeter", cli.micro).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("known: memory"), "{error}");
    let command = know_plugins(<Cli as clap::CommandFactory>::command(), &default_plugins());
    assert_eq!(command.get_about().unwrap().to_string(), "Greets.");
    let error = command
        .try_get_matches_from(["greeter", "--greeting=Hi", "--broker=pigeon"])
        .unwrap_err();
    assert_eq!(error.exit_code(), 2);
}

#[tokio::test]
async fn a_plugin_flag_beats_the_backend_that_code_made() {
    let mine = MemoryRegistry::new();
    let builder = |args: &[&str]| parse(args).unwrap().registry(Arc::new(mine.clone()));
    let ours = builder(&[]).start().await.unwrap();
    assert_eq!(mine.get("greeter").await.unwrap()[0], *ours.record());
    ours.shutdown().await.unwrap();
    let _theirs = builder(&["--registry=memory"]).start().await.unwrap();
    assert_eq!(mine.get("greeter").await.unwrap_err().kind(), ErrorKind::NotFound);
    let error = builder(&["--registry_address=there"]).start().await.unwrap_err();
    assert!(error.to_string().contains("add --registry"), "{error}");
}

#[tokio::test]
async fn the_flags_of_the_server_reach_the_registry() {
    let flags = [
        "--registry_address=flags",
        "--server_name=other",
        "--server_address=a.b",
        "--server_advertise=c.d",
        "--server_id=me",
        "--server_metadata=zone=a",
    ];
    let service = parse(&flags).unwrap().start().await.unwrap();
    let record = &service.registry().get("other").await.unwrap()[0];
    let node = &record.nodes[0];
    assert_eq!((node.id.as_str(), node.address.as_str()), ("me", "c.d"));
    assert_eq!(node.metadata["zone"], "a");
    let beside = MemoryRegistry::named("flags");
    assert_eq!(
        beside.get("other").await.unwrap().len(),
        1,
        "the address names the world"
    );
}

const CHILD: &str = "flags::tests::prints_what_it_read";

/// Runs this test binary again, since no test may change the environment of all the others.
fn in_environment(variables: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", CHILD])
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "the environment tests run it"]
fn prints_what_it_read() {
    match parse(&["--server_version=flag"]) {
        Ok(builder) => println!("{:?}", builder.id("code").version("code").settings().unwrap()),
        Err(error) => println!("exit code {}: {error}", error.exit_code()),
    }
}

#[test]
fn the_environment_beats_code_and_is_beaten_by_a_flag() {
    let printed = in_environment(&[
        ("MICRO_SERVER_ID", "env"),
        ("MICRO_SERVER_VERSION", "env"),
        ("MICRO_SERVER_METADATA", "a=1,b=2"),
    ]);
    assert!(printed.contains(r#"id: Some("env")"#), "{printed}");
    assert!(printed.contains(r#"version: "flag""#), "{printed}");
    assert!(printed.contains(r#"metadata: {"a": "1", "b": "2"}"#), "{printed}");
}

#[test]
fn a_mistake_in_the_environment_is_named_after_its_variable() {
    let printed = in_environment(&[("MICRO_TRANSPORT", "pigeon")]);
    assert!(
        printed.contains("for 'MICRO_TRANSPORT (environment variable)'"),
        "{printed}"
    );
    let printed = in_environment(&[("MICRO_SERVER_VERSION", "env"), ("MICRO_CLIENT_RETRIES", "-1")]);
    assert!(
        printed.contains("for 'MICRO_CLIENT_RETRIES (environment variable)'"),
        "{printed}"
    );
    let printed = in_environment(&[("NATS_TOKEN", "secret"), ("NATS_CREDS", "y1")]);
    assert!(printed.contains("NATS_TOKEN (environment variable)"), "{printed}");
    assert!(printed.contains("NATS_CREDS (environment variable)"), "{printed}");
    assert!(!printed.contains("secret"), "{printed}");
}

#[test]
fn a_mistake_on_the_command_line_is_named_after_its_flag() {
    for args in [
        ["--transport", "pigeon"],
        ["--client-retries=x", "--server_version=1"],
    ] {
        assert!(refused(&args).contains("for '--"), "{args:?}");
    }
}

#[test]
fn every_flag_has_a_variable_that_does_something() {
    for (variable, value, expected) in [
        ("MICRO_TRANSPORT_ADDRESS", "x1,x2", r#"["x1", "x2"]"#),
        ("MICRO_BROKER_ADDRESS", "x3", r#"["x3"]"#),
        ("MICRO_REGISTRY_ADDRESS", "x4", r#"["x4"]"#),
        ("MICRO_TRANSPORT", "pigeon", "unknown transport"),
        ("MICRO_BROKER", "pigeon", "unknown broker"),
        ("MICRO_REGISTRY", "pigeon", "unknown registry"),
        ("MICRO_SERVER_NAME", "x5", r#"name: "x5""#),
        ("MICRO_SERVER_ADDRESS", "x6", r#"address: Some("x6")"#),
        ("MICRO_SERVER_ADVERTISE", "x7", r#"advertise: Some("x7")"#),
        ("MICRO_REGISTER_TTL", "41", "register_ttl: 41s"),
        ("MICRO_REGISTER_INTERVAL", "42ms", "register_interval: Some(42ms)"),
        ("MICRO_CLIENT_REQUEST_TIMEOUT", "43", "request_timeout: 43s"),
        ("MICRO_CLIENT_RETRIES", "44", "retries: 44"),
        ("MICRO_CLIENT_RETRY_BUDGET", "0", "ratio: 0.0, burst: 0"),
        ("MICRO_CLIENT_BACKOFF", "45ms", "base: 45ms"),
        ("MICRO_CLIENT_HEDGE", "47ms", "hedge: Some(After(47ms))"),
        ("MICRO_CLIENT_EJECT_AFTER", "46", "consecutive_failures: 46"),
        ("MICRO_SELECTOR", "least_loaded", r#"selector: "least_loaded""#),
        ("NATS_TOKEN", "x8", "Token(***)"),
        ("NATS_NKEY", "x9", r#"NkeyFile("x9")"#),
        ("NATS_CREDS", "y1", r#"CredentialsFile("y1")"#),
        ("NATS_CA", "y2", r#"ca: Some("y2")"#),
        ("NATS_TLSFIRST", "1", "first: true"),
        ("NATS_BUSY_POLL", "51us", "busy_poll: Some(51µs)"),
    ] {
        let printed = in_environment(&[(variable, value)]);
        assert!(printed.contains(expected), "{variable}: {printed}");
    }
}
