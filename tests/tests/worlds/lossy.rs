//! A way to the nats-server on which a message can be lost.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A proxy that passes everything on, but for the messages that it is told to lose. It ends with its handle.
pub(crate) struct LossyProxy {
    address: String,
    loses: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl LossyProxy {
    /// A proxy in front of that server.
    pub(crate) async fn start(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let loses = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(accept(listener, server.to_owned(), loses.clone()));
        LossyProxy { address, loses, task }
    }

    /// Where clients connect.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Loses the message that a client publishes next.
    pub(crate) fn lose_one(&self) {
        self.loses.store(true, Ordering::SeqCst);
    }
}

impl Drop for LossyProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, server: String, loses: Arc<AtomicBool>) {
    let mut clients = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let server = TcpStream::connect(&server).await.expect("the server");
        let loses = loses.clone();
        clients.spawn(async move {
            let (from_client, mut to_client) = client.into_split();
            let (mut from_server, to_server) = server.into_split();
            // Either end of it is the end of both.
            tokio::select! {
                _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
                _ = pass_on(from_client, to_server, &loses) => {}
            }
        });
    }
}

/// Passes on what a client says, line by line: <https://docs.nats.io/reference/reference-protocols/nats-protocol>.
async fn pass_on(
    from: impl AsyncRead + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    loses: &AtomicBool,
) -> io::Result<()> {
    let mut from = BufReader::with_capacity(1 << 20, from);
    loop {
        let mut said = Vec::new();
        if from.read_until(b'\n', &mut said).await? == 0 {
            return Ok(());
        }
        if let Some(len) = payload_len(&said) {
            let start = said.len();
            said.resize(start + len + "\r\n".len(), 0);
            from.read_exact(&mut said[start..]).await?;
            if loses.swap(false, Ordering::SeqCst) {
                continue;
            }
        }
        to.write_all(&said).await?;
    }
}

/// How many bytes follow the line, when it publishes something.
fn payload_len(line: &[u8]) -> Option<usize> {
    let line = std::str::from_utf8(line).ok()?;
    let publishes = line.starts_with("PUB ") || line.starts_with("HPUB ");
    publishes.then(|| line.split_whitespace().next_back()?.parse().ok())?
}
