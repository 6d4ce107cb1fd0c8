//! Each example runs as its documentation says, in memory and on a real nats-server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use nats_testing::NatsServer;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// A failure bound: nothing waits for it.
const LIMIT: Duration = Duration::from_secs(60);

/// What begins a line in the documentation that runs an example.
const RUN: &str = "cargo run --example ";

/// Runs all that an example says of itself, and returns what each run printed.
async fn run(example: &str) -> Vec<String> {
    let server = NatsServer::start().await;
    let mut printed = Vec::new();
    for args in documented(example, example) {
        let output = output(command(example, &args, &server)).await;
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{example} {args:?}: {}\n{text}{errors}",
            output.status
        );
        printed.push(text);
    }
    assert!(!printed.is_empty(), "{example} says nowhere how it runs");
    printed
}

/// The arguments of each line in the documentation of one example that runs this one.
fn documented(example: &str, run: &str) -> Vec<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = [format!("{example}.rs"), format!("{example}/main.rs")].map(|file| folder.join(file));
    let text = std::fs::read_to_string(file.iter().find(|file| file.exists()).unwrap()).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("//! "));
    let runs = lines.filter_map(|line| line.split_once(RUN)?.1.strip_prefix(run));
    // What follows `#` is a remark.
    let said = runs.map(|line| line.split('#').next().unwrap_or_default().split_whitespace());
    said.map(|words| {
        words
            .skip_while(|word| *word == "--")
            .map(str::to_owned)
            .collect()
    })
    .collect()
}

/// The program that cargo built beside this test.
fn command(example: &str, args: &[String], server: &NatsServer) -> Command {
    let mut command = Command::new(program(example));
    command.args(args).stdin(Stdio::null()).kill_on_drop(true);
    for plugin in ["TRANSPORT", "BROKER", "REGISTRY"] {
        command.env_remove(format!("MICRO_{plugin}"));
        // Only the plugins that listen to an address get to know it: those in memory would take it for a world's.
        if args
            .iter()
            .any(|arg| *arg == format!("--{}=nats", plugin.to_lowercase()))
        {
            command.env(format!("MICRO_{plugin}_ADDRESS"), server.address());
        }
    }
    command
}

fn program(example: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap().join("examples");
    let program = folder.join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "{} is not built: `cargo build -p micro-examples --examples` does",
        program.display()
    );
    program
}

async fn output(mut command: Command) -> Output {
    let ended = timeout(LIMIT, command.output()).await;
    ended
        .unwrap_or_else(|_| panic!("{command:?} did not end"))
        .unwrap()
}

#[tokio::test]
async fn greeter() {
    for printed in run("greeter").await {
        assert!(printed.contains("received   that Ada was greeted"), "{printed}");
        assert!(printed.contains("0 requests and 0 events were cut"), "{printed}");
    }
}

#[tokio::test]
async fn greeter_server_and_client() {
    let server = NatsServer::start().await;
    let args = documented("greeter-server", "greeter-server").remove(0);
    let mut greeter = command("greeter-server", &args, &server)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(greeter.stdout.take().unwrap()).lines();
    let serving = timeout(LIMIT, lines.next_line()).await.unwrap().unwrap();
    assert!(serving.is_some(), "the server ended");
    let runs = documented("greeter-client", "greeter-client");
    assert_eq!(runs.len(), 2);
    for (args, who) in runs.iter().zip(["Ada", "Grace"]) {
        let output = output(command("greeter-client", args, &server)).await;
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{printed}");
        assert!(printed.contains(&format!("Hello, {who}!")), "{printed}");
    }
    greeter.kill().await.unwrap();
}

#[tokio::test]
async fn pubsub() {
    for printed in run("pubsub").await {
        assert!(
            printed.contains("exactly once, and seen by the auditor"),
            "{printed}"
        );
    }
}

#[tokio::test]
async fn swap_backends() {
    let runs = run("swap-backends").await;
    assert_eq!(runs.len(), 3);
    for printed in runs {
        assert_eq!(printed.matches("passed").count(), 2, "memory and NATS: {printed}");
    }
}

#[tokio::test]
async fn todo() {
    for printed in run("todo").await {
        assert!(printed.contains("imported   2, and 1 not"), "{printed}");
        assert_eq!(printed.matches("refused    ").count(), 3, "{printed}");
        assert!(
            printed.contains(r#"watched    Todo { id: 1, title: "buy bread", done: true }"#),
            "{printed}"
        );
    }
}

#[tokio::test]
async fn routeguide() {
    for printed in run("routeguide").await {
        for kind in [
            "asked      Charles Bridge",
            "listed     Sněžka",
            "walked     283 km past 3 features",
        ] {
            assert!(printed.contains(kind), "{printed}");
        }
        assert_eq!(printed.matches("chatted    ").count(), 3, "{printed}");
    }
}

#[tokio::test]
async fn testing() {
    let runs = run("testing").await;
    assert_eq!(runs.len(), 2);
    for printed in runs {
        assert_eq!(printed.lines().count(), 3, "{printed}");
    }
}

#[tokio::test]
async fn pipeline() {
    for printed in run("pipeline").await {
        // Who, how many milliseconds are left, and which trace it is.
        let told: Vec<(&str, u64, &str)> = printed.lines().filter_map(told).collect();
        let (whole, cut) = told.split_at(4);
        let who: Vec<_> = whole.iter().map(|(who, ..)| *who).collect();
        assert_eq!(who, ["sent", "upload", "resize", "archive"], "{printed}");
        // Each stage works for 20 ms before it hands on.
        assert!(
            whole[1..].windows(2).all(|pair| pair[0].1 >= pair[1].1 + 20),
            "{printed}"
        );
        assert!(
            printed.contains("done       upload, resize, archive"),
            "{printed}"
        );
        for part in [whole, cut] {
            assert!(
                part.iter()
                    .all(|(.., trace)| *trace == part[0].2 && trace.len() == 32),
                "{printed}"
            );
        }
        assert_ne!(whole[0].2, cut[0].2);
        assert!(cut.iter().all(|(who, ..)| *who != "archive"), "{printed}");
        assert!(printed.contains("failed     DEADLINE_EXCEEDED"), "{printed}");
        assert!(printed.contains("upload     cut off"), "{printed}");
    }
}

fn told(line: &str) -> Option<(&str, u64, &str)> {
    let (said, trace) = line.split_once(" ms left, trace ")?;
    let (who, left) = said.split_once(' ')?;
    Some((who, left.trim().parse().ok()?, trace))
}
