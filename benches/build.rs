//! Makes the client and the server of the peer that speaks gRPC (no `protoc` is needed), and notes the versions of peers.

use std::error::Error;
use std::fs;
use std::path::Path;

const PEERS: [&str; 5] = ["async-nats", "prost", "tarpc", "tokio", "tonic"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=BENCH_VERSIONS={}", versions()?);
    #[cfg(feature = "peers")]
    grpc("proto/bench.proto")?;
    Ok(())
}

#[cfg(feature = "peers")]
fn grpc(file: &str) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={file}");
    let files = protox::compile([file], ["proto"])?;
    // The messages are those that our side uses, too.
    tonic_prost_build::configure()
        .extern_path(".bench", "crate::payload")
        .compile_fds(files)?;
    Ok(())
}

fn versions() -> Result<String, Box<dyn Error>> {
    let lock = read("../Cargo.lock")?;
    let mut versions: Vec<_> = PEERS.iter().filter_map(|name| locked(&lock, name)).collect();
    let go = read("../tests/interop/v5/go.mod")?;
    versions.extend(go.lines().find_map(go_micro));
    Ok(versions.join(", "))
}

fn read(file: &str) -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={file}");
    fs::read_to_string(Path::new(file)).map_err(|error| format!("{file}: {error}").into())
}

/// The version of a crate; of several, the last, which is the newest.
fn locked(lock: &str, name: &str) -> Option<String> {
    let head = format!("name = \"{name}\"\nversion = \"");
    let (_, rest) = lock.rsplit_once(&head)?;
    let (version, _) = rest.split_once('"')?;
    Some(format!("{name} {version}"))
}

fn go_micro(line: &str) -> Option<String> {
    let mut words = line
        .split_whitespace()
        .skip_while(|word| *word != "go-micro.dev/v5");
    let (_, version) = (words.next()?, words.next()?);
    Some(format!("go-micro {version}"))
}
