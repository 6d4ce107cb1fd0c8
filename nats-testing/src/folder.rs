//! The folder of one server: configuration, log, store, and the files in which it names its ports.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, process};

/// A new folder for temporary files, removed with the handle.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("micro-nats-{}-{count}", process::id()));
        // Left over by an earlier process of the same number, which was killed.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for temporary files");
        Folder(folder)
    }

    #[cfg(test)]
    pub(super) fn path(&self) -> &std::path::Path {
        &self.0
    }

    pub(super) fn store(&self) -> PathBuf {
        self.0.join("jetstream")
    }

    /// Writes the configuration, and returns where.
    pub(super) fn configure(&self, text: &str) -> PathBuf {
        let file = self.0.join("nats-server.conf");
        fs::write(&file, text).expect("a configuration file");
        file
    }

    /// An empty folder for the file of ports, so that one of an earlier start is not taken for it.
    pub(super) fn ports(&self) -> PathBuf {
        let folder = self.0.join("ports");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).expect("a folder for the ports");
        folder
    }

    /// Where the server writes what it has to say.
    pub(super) fn append_log(&self) -> File {
        let file = File::options().create(true).append(true).open(self.log_file());
        file.expect("a log file")
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.0.join("nats-server.log")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
