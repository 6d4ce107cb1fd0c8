//! A process that listens, and can be killed: this program once more, which runs one test of it.

use std::process::Stdio;

use async_trait::async_trait;
use micro_conformance::Peer;
use micro_core::{Address, ListenOptions, Message, PluginConfig, Transport};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use transport_nats::{Encoding, NatsTransport};

/// Says which server the process uses; the test below does nothing without.
const SERVER: &str = "MICRO_CONFORMANCE_PEER_OF";

/// No test by itself: it is run by others, as a process of its own, and ends when it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_process_that_listens() {
    let Ok(servers) = std::env::var(SERVER) else {
        return;
    };
    let config = PluginConfig::default().with_addresses(&servers);
    let transport = NatsTransport::connect(&config).await.expect("a connection");
    let listening = transport.listen(ListenOptions::default()).await;
    let mut listener = listening.expect("an address");
    say(&format!("\naddress={}\n", listener.address()));
    let mut sockets = Vec::new();
    loop {
        let mut socket = listener.accept().await.expect("a socket");
        socket.recv().await.expect("a message").expect("a message");
        socket.send(Message::new("welcome")).await.expect("a peer");
        sockets.push(socket);
    }
}

#[allow(clippy::print_stdout, reason = "a process tells its parent where it is")]
fn say(text: &str) {
    print!("{text}");
}

/// That process. It ends with its handle.
pub(crate) struct Process {
    child: Child,
    address: Address,
}

impl Process {
    /// Starts it; it uses that server, and such sockets.
    pub(crate) async fn start(server: &str, encoding: Encoding) -> Self {
        let query = match encoding {
            Encoding::GoMicro => "?encoding=go-micro",
            _ => "",
        };
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .args(["process::a_process_that_listens", "--nocapture"])
            .env(SERVER, format!("{server}{query}"))
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a process");
        let said = child.stdout.take().expect("a pipe");
        let mut lines = BufReader::new(said).lines();
        loop {
            let line = lines.next_line().await.expect("a pipe");
            if let Some((_, address)) = line.expect("an address").split_once("address=") {
                let address = address.parse().expect("an address");
                return Process { child, address };
            }
        }
    }
}

#[async_trait]
impl Peer for Process {
    fn address(&self) -> &Address {
        &self.address
    }

    async fn kill(&mut self) {
        self.child.kill().await.expect("a process that is gone");
    }
}
