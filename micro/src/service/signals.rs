//! What tells a process to stop.

use micro_core::{Error, ErrorKind, Result};
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C and, on Unix, SIGTERM. Neither ends the process any more once this exists.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    terminate: Signal,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn new() -> Result<Self> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt()).map_err(unheard)?,
            terminate: signal(SignalKind::terminate()).map_err(unheard)?,
        })
    }

    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    pub(super) fn new() -> Result<Self> {
        Ok(Signals {})
    }

    pub(super) async fn next(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            let error = unheard(error);
            tracing::error!(%error, "nothing but a kill stops this process");
            std::future::pending::<()>().await;
        }
    }
}

fn unheard(error: std::io::Error) -> Error {
    Error::new(
        ErrorKind::Internal,
        format!("signals cannot be listened for: {error}"),
    )
    .with_source(error)
}
