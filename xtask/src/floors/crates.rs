//! Which crate depends on which, from `cargo metadata`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{CRATES, Fault, listed};
use crate::process;

/// A crate of the workspace.
pub(super) struct Crate {
    name: String,
    manifest: PathBuf,
    /// The crates of the workspace that it is built with; those of its tests alone are left out.
    needs: Vec<String>,
}

/// Reads the crates of the workspace.
pub(super) fn read() -> Result<Vec<Crate>> {
    let output = process::capture(&mut process::cargo([
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
    ]))?;
    parse(&serde_json::from_slice(&output.stdout)?).context("cargo metadata has another form than expected")
}

/// The folder of a crate.
pub(super) fn folder<'a>(crates: &'a [Crate], name: &str) -> Result<&'a Path> {
    let found = crates.iter().find(|one| one.name == name);
    found
        .and_then(|one| one.manifest.parent())
        .with_context(|| format!("there is no crate {name}: correct the tables in xtask/src/floors.rs"))
}

/// Compares each crate with the table.
pub(super) fn check(crates: &[Crate]) -> Vec<Fault> {
    crates.iter().flat_map(check_one).collect()
}

fn check_one(one: &Crate) -> Vec<Fault> {
    let fault = |need: &str, rule: String| Fault {
        file: shown(&one.manifest),
        line: line_of(&one.manifest, need),
        import: need.to_owned(),
        rule,
    };
    let Some((_, allowed)) = CRATES.iter().find(|(name, _)| *name == one.name) else {
        let rule = format!(
            "no crate {} is known: add it to CRATES in xtask/src/floors.rs",
            one.name
        );
        return vec![fault("name", rule)];
    };
    let forbidden = one.needs.iter().filter(|need| !allowed.contains(&need.as_str()));
    let rule = |need: &str| {
        let allowed = listed(allowed);
        format!(
            "{} may not depend on {need}; of the workspace it may: {allowed}",
            one.name
        )
    };
    forbidden.map(|need| fault(need, rule(need))).collect()
}

fn parse(metadata: &Value) -> Option<Vec<Crate>> {
    let packages = metadata["packages"].as_array()?;
    let names: Vec<&str> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    packages
        .iter()
        .map(|package| parse_one(package, &names))
        .collect()
}

fn parse_one(package: &Value, workspace: &[&str]) -> Option<Crate> {
    let dependencies = package["dependencies"].as_array()?;
    let built_with = dependencies
        .iter()
        .filter(|dependency| dependency["kind"] != "dev");
    let names = built_with.filter_map(|dependency| dependency["name"].as_str());
    Some(Crate {
        name: package["name"].as_str()?.to_owned(),
        manifest: PathBuf::from(package["manifest_path"].as_str()?),
        needs: names
            .filter(|name| workspace.contains(name))
            .map(str::to_owned)
            .collect(),
    })
}

/// The first line of the manifest that begins with a key, or 1.
fn line_of(manifest: &Path, key: &str) -> usize {
    let text = fs::read_to_string(manifest).unwrap_or_default();
    let begins = |line: &str| {
        line.strip_prefix(key)
            .is_some_and(|rest| rest.starts_with([' ', '.', '=']))
    };
    text.lines().position(begins).map_or(1, |index| index + 1)
}

fn shown(manifest: &Path) -> String {
    manifest
        .strip_prefix(process::root())
        .unwrap_or(manifest)
        .display()
        .to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(package: &str, dependencies: &Value) -> Vec<String> {
        let other = |name: &str| json!({"name": name, "manifest_path": "/x/Cargo.toml", "dependencies": []});
        let metadata = json!({"packages": [
            {"name": package, "manifest_path": "/nowhere/Cargo.toml", "dependencies": dependencies},
            other("micro-core"), other("nats-common"), other("broker-nats"),
        ]});
        check_one(&parse(&metadata).unwrap()[0])
            .into_iter()
            .map(|fault| fault.rule)
            .collect()
    }

    #[test]
    fn a_crate_may_depend_on_those_in_the_table_and_on_strangers() {
        let needs = json!([
            {"name": "micro-core", "kind": null},
            {"name": "tokio", "kind": null},
            {"name": "broker-nats", "kind": "dev"},
        ]);
        assert_eq!(faults("transport-nats", &needs), [""; 0]);
    }

    #[test]
    fn plugins_do_not_depend_on_each_other() {
        for kind in [Value::Null, json!("build")] {
            let found = faults("transport-nats", &json!([{"name": "broker-nats", "kind": kind}]));
            assert_eq!(
                found,
                [
                    "transport-nats may not depend on broker-nats; of the workspace it may: micro-core, nats-common"
                ]
            );
        }
    }

    #[test]
    fn the_core_depends_on_nothing_of_the_workspace() {
        assert_eq!(
            faults("micro-core", &json!([{"name": "nats-common", "kind": null}])).len(),
            1
        );
    }

    #[test]
    fn an_unknown_crate_is_to_be_added_to_the_table() {
        let found = faults("micro-new", &json!([]));
        assert!(found[0].contains("add it to CRATES"), "{found:?}");
    }
}
