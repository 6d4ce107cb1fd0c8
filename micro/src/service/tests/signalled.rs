//! Ctrl-C and SIGTERM.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use futures::poll;

use super::registration::Moody;
use super::*;

const CHILD: &str = "service::tests::signalled::runs_until_told";

/// Runs this test binary again, since a signal is for a process, and sends it signals once it has begun.
fn signalled(signals: &str, hold: &str) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", CHILD])
        .env("HOLD", hold)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("begun") {
        line.clear();
        assert!(
            output.read_line(&mut line).unwrap() > 0,
            "the service did not begin"
        );
    }
    let kill = format!("for signal in {signals}; do kill -$signal {}; done", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    child.wait().unwrap();
    rest
}

#[tokio::test]
#[ignore = "the tests of signals run it"]
async fn runs_until_told() {
    let hold = async |_: Context, Json(()): Json<()>| {
        println!("begun");
        std::future::pending::<Result<Json<()>, Status>>().await
    };
    let router = Router::new().unary("Greeter.Hold", hold);
    let moody = Arc::new(Moody::default());
    let service = World::default().service("greeter").registry(moody.clone());
    let service = service.serve(router).start().await.unwrap();
    let asked = |what: &str| std::env::var("HOLD").is_ok_and(|hold| hold == what);
    moody.stalls.store(asked("registry"), Ordering::SeqCst);
    let client = service.client().clone();
    let run = service.run();
    tokio::pin!(run);
    assert!(
        poll!(&mut run).is_pending(),
        "from here on it listens for signals"
    );
    if asked("call") {
        tokio::spawn(async move {
            client
                .unary::<_, Json<()>>("greeter", "Greeter.Hold", Json(()))
                .await
        });
    } else {
        println!("begun");
    }
    println!("ended {:?}", run.await.map_err(|error| error.kind()));
}

#[test]
fn a_signal_stops_the_service() {
    for signal in ["TERM", "INT"] {
        let output = signalled(signal, "nothing");
        assert!(output.contains("ended Ok(Report"), "{signal}: {output}");
    }
}

#[test]
fn a_second_signal_cuts_what_is_in_flight() {
    let output = signalled("TERM INT", "call");
    assert!(output.contains("ended Err(Closed)"), "{output}");
}

#[test]
fn a_second_signal_with_nothing_in_flight_is_no_error() {
    let output = signalled("TERM INT", "registry");
    assert!(output.contains("ended Ok(Report"), "{output}");
}
