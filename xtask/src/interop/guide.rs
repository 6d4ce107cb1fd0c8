//! The Go peer whose service and client are generated, of the .proto of the example.

use std::path::PathBuf;

use anyhow::Result;

use super::{build, built, folder};
use crate::process;

/// What is generated, from the root of the workspace.
const PROTO: &str = "examples/proto/route_guide.proto";

/// The Go package that it becomes.
const PACKAGE: &str = "micro.example/interop/guide/routeguide";

/// The folder of that package, in which nothing is.
const INSTEAD_OF: &str = "tests/interop/guide/routeguide";

/// What Go programmers give to `protoc`.
const PLUGINS: [(&str, &str); 2] = [
    ("google.golang.org/protobuf/cmd/protoc-gen-go", "protoc-gen-go"),
    (
        "github.com/micro/micro/v5/cmd/protoc-gen-micro",
        "protoc-gen-micro",
    ),
];

/// Builds the plugins, generates, and builds the peer of what is generated.
pub(super) fn peer() -> Result<PathBuf> {
    let out = folder().join("generated");
    let mut generate = process::cargo(["run", "--package", "micro-interop", "--", "generate", PROTO]);
    generate.args(["--package", PACKAGE, "--instead-of", INSTEAD_OF]);
    generate.arg("--out").arg(&out);
    for (package, program) in PLUGINS {
        generate.arg("--plugin").arg(built("cli", package, program)?);
    }
    process::run(&mut generate)?;
    let overlay = out.join("overlay.json");
    build("guide", ".", "guide", &["-overlay".as_ref(), overlay.as_os_str()])
}
