//! One task for each shared socket: it sends what callers queue, and hands answers to them.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use crate::client::VERDICT;
use crate::client::clock::Clock;
use crate::client::line::{End, Halves, Line};
use crate::error::{Error, ErrorKind};
use crate::rpc::frame::Dialect;

/// Reads and writes side by side: reading never waits for writing, so that two ends that both write cannot stall.
pub(crate) async fn drive(line: Arc<Line>, dialect: Dialect, idle: Duration) {
    let mut ending = Ending {
        line: &line,
        error: unavailable("the socket's driver is gone"),
    };
    // To the very end: calls expire while the socket is asked why it ended, too.
    let mut clock = pin!(Clock::new(&line.table, dialect, idle).run());
    let end = tokio::select! {
        biased;
        end = run(&line) => end,
        () = &mut clock => return,
    };
    if let Some(halves) = line.take() {
        ending.error = tokio::select! {
            biased;
            error = last_word(end, halves, &line) => error,
            () = &mut clock => return,
        };
    }
}

/// Whichever way the driver ends, no call waits for ever.
struct Ending<'a> {
    line: &'a Line,
    error: Error,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        drop(self.line.take());
        self.line.table.fail_all(&self.error);
    }
}

/// Ends when the socket breaks, or nobody has called for a while.
async fn run(line: &Line) -> End {
    loop {
        if let Some(end) = poll_fn(|cx| line.poll_work(cx)).await {
            return end;
        }
        if line.table.is_busy() {
            // Whoever is about to call, too, shares the flush.
            tokio::task::yield_now().await;
        }
        if let Some(end) = poll_fn(|cx| line.poll_write(cx)).await {
            return end;
        }
    }
}

/// Why the calls that still wait end.
async fn last_word(end: End, mut halves: Halves, line: &Line) -> Error {
    match end {
        End::Read(error) => error,
        // What cannot be written to has ended, and the reading half knows how much of it reached nobody.
        End::Broken(error) => {
            let read = poll_fn(|cx| halves.poll_read(&line.table, cx));
            tokio::time::timeout(VERDICT, read).await.unwrap_or(error)
        }
        // A call that comes meanwhile finds the table ended, and is made on a new socket.
        End::Idle => {
            let idle = unavailable("the socket was idle");
            halves.sender.finish().await.err().unwrap_or(idle)
        }
    }
}

fn unavailable(text: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable, text)
}
