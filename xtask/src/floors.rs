//! `cargo xtask floors`: imports go down only.
//!
//! The tables are the rules: a new module or crate is a new line in one of them.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::process;

mod crates;
mod imports;
mod modules;
mod source;
mod tokens;

/// A module at the root of micro-core: it may import what is on lower floors.
pub(crate) struct Module {
    name: &'static str,
    floor: u8,
    /// Those on its own floor that it may import too.
    beside: &'static [&'static str],
}

const fn module(floor: u8, name: &'static str, beside: &'static [&'static str]) -> Module {
    Module { name, floor, beside }
}

/// The modules of micro-core.
const MODULES: &[Module] = &[
    module(0, "error", &[]),
    module(0, "message", &["error"]),
    module(0, "address", &["error", "name"]),
    module(0, "name", &["error"]),
    module(0, "shape", &[]),
    module(0, "by_id", &[]),
    module(1, "codec", &[]),
    module(1, "queue", &[]),
    // The contracts do not know each other, and `rpc` knows none of them.
    module(2, "transport", &[]),
    module(2, "broker", &["observe"]),
    module(2, "registry", &[]),
    module(2, "rpc", &[]),
    module(2, "observe", &["rpc"]),
    // Client and server never import each other, nor a backend.
    module(3, "client", &["selector"]),
    module(3, "server", &[]),
    module(3, "selector", &[]),
    module(3, "plugin", &[]),
    // A backend like those with a crate of their own: it enters itself into the table of plugins.
    module(3, "memory", &["plugin"]),
    // Above all of them; only tests and fuzz targets have it.
    module(4, "fuzzing", &[]),
];

/// The highest floor of micro-core that the crates in [`PLUGINS`] may use.
const PLUGIN_FLOOR: u8 = 2;

/// What the crates in [`PLUGINS`] may use above [`PLUGIN_FLOOR`].
const PLUGIN_MODULES: &[&str] = &["plugin"];

const CORE: &str = "micro-core";

const PLUGINS: &[&str] = &["nats-common", "transport-nats", "broker-nats", "registry-nats"];

/// Each crate, and the crates of the workspace that it may depend on. Dependencies of its tests alone are free.
const CRATES: &[(&str, &[&str])] = &[
    (CORE, &[]),
    ("nats-common", &[CORE]),
    ("transport-nats", &[CORE, "nats-common"]),
    ("broker-nats", &[CORE, "nats-common"]),
    ("registry-nats", &[CORE, "nats-common"]),
    // The harness of a real server knows nothing of the house.
    ("nats-testing", &[]),
    // What it writes names `micro`; itself it names nothing.
    ("micro-build", &[]),
    // It is built before what its code will name.
    ("micro-macros", &[]),
    ("micro-otel", &[CORE]),
    ("micro", FRAMEWORK),
    ("micro-conformance", ALL),
    ("micro-examples", ALL),
    ("micro-benches", ALL),
    ("micro-interop", ALL),
    ("micro-chaos", ALL),
    // It must build when they do not.
    ("xtask", &[]),
];

/// What service authors see as one crate.
const FRAMEWORK: &[&str] = &[
    CORE,
    "micro-macros",
    "nats-common",
    "transport-nats",
    "broker-nats",
    "registry-nats",
    // Only by the feature `otel`.
    "micro-otel",
    // Only by the feature `testing`.
    "nats-testing",
];

const ALL: &[&str] = &[
    CORE,
    "nats-common",
    "transport-nats",
    "broker-nats",
    "registry-nats",
    "nats-testing",
    "micro-otel",
    "micro",
    "micro-build",
    "micro-conformance",
    // Peers of other languages meet the services that are shown.
    "micro-examples",
];

/// A rule broken at one place.
#[derive(Debug, PartialEq)]
struct Fault {
    file: String,
    line: usize,
    import: String,
    rule: String,
}

/// Everything is checked, whatever is found first.
pub(crate) fn run() -> Result<()> {
    let root = process::root();
    let crates = crates::read()?;
    let core = source::read(&root, crates::folder(&crates, CORE)?)?;
    let house = modules::House::new(&core)?;
    let mut faults = crates::check(&crates);
    faults.extend(house.check_core(&core)?);
    for plugin in PLUGINS {
        let files = source::read(&root, crates::folder(&crates, plugin)?)?;
        faults.extend(house.check_plugin(&files)?);
    }
    if faults.is_empty() {
        eprintln!(
            "floors: {} crates and {} files of {CORE}: imports go down only",
            crates.len(),
            core.len()
        );
        return Ok(());
    }
    for fault in &faults {
        eprintln!(
            "{}:{}: {}\n  {}",
            fault.file, fault.line, fault.import, fault.rule
        );
    }
    bail!(
        "{} against the rules, which are:\n{}",
        faults.len(),
        table().trim_end()
    )
}

/// The tables as text, the top floor first.
fn table() -> String {
    let mut text = format!("modules of {CORE}, which import lower floors only:\n");
    for floor in MODULES
        .iter()
        .map(|module| module.floor)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .rev()
    {
        let names: Vec<_> = MODULES
            .iter()
            .filter(|module| module.floor == floor)
            .map(described)
            .collect();
        text += &format!("  {floor}  {}\n", names.join(", "));
    }
    text += &format!(
        "{} use floors 0 to {PLUGIN_FLOOR} and {}\n",
        PLUGINS.join(", "),
        PLUGIN_MODULES.join(", ")
    );
    text += "crates, and those they may depend on:\n";
    for (name, below) in CRATES {
        text += &format!("  {name}: {}\n", listed(below));
    }
    text
}

fn described(module: &Module) -> String {
    match module.beside {
        [] => module.name.to_owned(),
        beside => format!("{} (and {})", module.name, beside.join(", ")),
    }
}

fn listed(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_name_only_what_they_hold() {
        let known = |name: &&str| CRATES.iter().any(|(other, _)| other == name);
        for (name, below) in CRATES {
            assert!(below.iter().all(known), "{name}");
        }
        for module in MODULES {
            let beside = |name: &&str| {
                MODULES
                    .iter()
                    .any(|other| other.name == *name && other.floor == module.floor)
            };
            assert!(module.beside.iter().all(beside), "{}", module.name);
        }
    }

    #[test]
    fn the_table_is_shown_from_the_top() {
        let text = table();
        assert!(
            text.find("3  client (and selector)") < text.find("2  transport"),
            "{text}"
        );
        assert!(text.contains("nats-common: micro-core\n"), "{text}");
    }
}
