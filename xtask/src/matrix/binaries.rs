//! The programs of tests that need a nats-server: which packages have them, and building them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process;

/// What a package has among its dependencies whose tests need a nats-server.
const SIGNS: &[&str] = &["nats-testing", "micro-conformance"];

/// A program of tests.
pub(super) struct Binary {
    /// Its package and target.
    pub(super) name: String,
    pub(super) program: PathBuf,
    /// Where cargo would run it.
    pub(super) folder: PathBuf,
}

/// Builds the tests of these packages, or of all that need a server.
pub(super) fn build(packages: &[String]) -> Result<Vec<Binary>> {
    let packages = match packages {
        [] => needing()?,
        given => given.to_vec(),
    };
    eprintln!("building the tests of {}", packages.join(", "));
    let chosen = packages.iter().flat_map(|package| ["--package", package]);
    // An example with tests of its own is built as a test only, and other tests run it as a program.
    let mut examples = process::cargo(["build", "--examples"]);
    process::capture(examples.args(chosen.clone()))?;
    let mut command = process::cargo(["test", "--no-run", "--message-format=json"]);
    let output = process::capture(command.args(chosen))?;
    let binaries: Vec<_> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| binary(&serde_json::from_str(line).ok()?))
        .collect();
    match binaries.is_empty() {
        true => bail!("there are no tests in {}", packages.join(", ")),
        false => Ok(binaries),
    }
}

fn needing() -> Result<Vec<String>> {
    let metadata = ["metadata", "--format-version", "1", "--no-deps"];
    let output = process::capture(&mut process::cargo(metadata))?;
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array();
    let packages = packages.context("cargo metadata has another form than expected")?;
    Ok(packages
        .iter()
        .filter(|package| needs_a_server(package))
        .filter_map(|package| package["name"].as_str().map(str::to_owned))
        .collect())
}

/// Whether it has a library, so that there are tests to build, and one of the signs among its dependencies, or is one.
fn needs_a_server(package: &Value) -> bool {
    let is_sign = |name: &Value| name.as_str().is_some_and(|name| SIGNS.contains(&name));
    let array = |key: &str| package[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_library = |target: &Value| target["kind"][0] == "lib";
    array("targets").iter().any(is_library)
        && (is_sign(&package["name"]) || array("dependencies").iter().any(|one| is_sign(&one["name"])))
}

/// A line of what cargo says, when it tells of a program of tests.
fn binary(line: &Value) -> Option<Binary> {
    if line["reason"] != "compiler-artifact" || line["profile"]["test"] != true {
        return None;
    }
    let folder = Path::new(line["manifest_path"].as_str()?).parent()?;
    let package = line["package_id"].as_str()?.rsplit_once('#')?.1;
    let package = package.split_once('@').map_or_else(
        || folder.file_name()?.to_str().map(str::to_owned),
        |(name, _)| Some(name.to_owned()),
    )?;
    let target = match line["target"]["kind"][0].as_str()? {
        "lib" => "its own",
        _ => line["target"]["name"].as_str()?,
    };
    Some(Binary {
        name: format!("{package}: {target}"),
        program: line["executable"].as_str()?.into(),
        folder: folder.to_path_buf(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn packages_that_use_a_server_are_told_by_their_dependencies() {
        let package = |name: &str, kind: &str, needs: &str| json!({"name": name, "targets": [{"kind": [kind]}], "dependencies": [{"name": needs}]});
        assert!(needs_a_server(&package("a", "lib", "nats-testing")));
        assert!(needs_a_server(&package("nats-testing", "lib", "tokio")));
        assert!(!needs_a_server(&package("a", "bin", "nats-testing")));
        assert!(!needs_a_server(&package("a", "lib", "tokio")));
    }

    #[test]
    fn programs_of_tests_are_read_from_what_cargo_says() {
        let line = |test: bool, kind: &str| {
            json!({
                "reason": "compiler-artifact", "profile": {"test": test}, "manifest_path": "/x/a/Cargo.toml",
                "package_id": "path+file:///x/a#0.1.0", "target": {"kind": [kind], "name": "suite"},
                "executable": "/x/target/suite-1"
            })
        };
        assert_eq!(binary(&line(true, "test")).unwrap().name, "a: suite");
        assert_eq!(binary(&line(true, "lib")).unwrap().name, "a: its own");
        assert!(binary(&line(false, "test")).is_none());
        let mut named = line(true, "test");
        named["package_id"] = json!("path+file:///x/tests#micro-conformance@0.1.0");
        assert_eq!(binary(&named).unwrap().name, "micro-conformance: suite");
    }
}
