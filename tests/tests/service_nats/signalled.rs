//! Signals to a service whose callers are elsewhere.

use std::process::Stdio;
use std::time::Duration;

use micro_conformance::nats_server::NatsServer;
use micro_core::{Code, Context, Json, Router, Status};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::{LIMIT, caller, service};

const CHILD: &str = "signalled::runs_until_told";

#[tokio::test]
#[ignore = "the tests of signals run it"]
async fn runs_until_told() {
    let hold = async |_: Context, Json(()): Json<()>| {
        println!("begun");
        std::future::pending::<Result<Json<()>, Status>>().await
    };
    let router = Router::new().unary("Test.Hold", hold);
    let address = std::env::var("TEST_ADDRESS").unwrap();
    let service = service("test", &address).serve(router).start().await.unwrap();
    println!("ready");
    println!("ended {:?}", service.run().await.map_err(|error| error.kind()));
}

/// Runs this test binary again, since a signal is for a process.
fn child(address: &str) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", CHILD])
        .env("TEST_ADDRESS", address)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

async fn until(lines: &mut Lines<BufReader<ChildStdout>>, word: &str) -> String {
    let said = async {
        loop {
            let line = lines.next_line().await.unwrap().expect("more to be said");
            if line.contains(word) {
                return line;
            }
        }
    };
    timeout(LIMIT, said).await.expect("a word")
}

async fn send(child: &Child, signals: &str) {
    let kill = format!(
        "for signal in {signals}; do kill -$signal {}; done",
        child.id().unwrap()
    );
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .await
            .unwrap()
            .success()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_tells_the_callers() {
    let server = NatsServer::start().await;
    let (child, mut lines) = child(&server.address());
    until(&mut lines, "ready").await;
    let caller = caller(&server.address()).await;
    let call = caller
        .client()
        .unary::<_, Json<()>>("test", "Test.Hold", Json(()));
    let call = tokio::spawn(call.timeout(Duration::from_secs(60)).into_future());
    until(&mut lines, "begun").await;
    send(&child, "TERM INT").await;
    let status = timeout(LIMIT, call)
        .await
        .expect("an answer")
        .unwrap()
        .unwrap_err();
    // By word, and not because the process was missed in the end.
    assert!(status.is_from_peer(), "{status}");
    assert_ne!(status.code(), Code::DeadlineExceeded);
    assert!(until(&mut lines, "ended").await.contains("Err(Closed)"));
}
