//! Which module of micro-core imports which, from its source and that of the plugins.

use std::collections::BTreeMap;

use anyhow::Result;

use super::imports::{self, Import};
use super::source::File;
use super::{Fault, MODULES, Module, PLUGIN_FLOOR, PLUGIN_MODULES, listed};

/// What micro-core offers at its root.
#[derive(Default)]
pub(super) struct House {
    /// The names that `lib.rs` re-exports, and the module, or the foreign crate, that each comes from.
    reexports: BTreeMap<String, String>,
    /// Its modules of tests, which have no floor.
    tests: Vec<Vec<String>>,
}

/// Where an import leads.
enum Target<'a> {
    Module(&'static Module),
    /// To a name of another crate that `lib.rs` passes on.
    Foreign,
    Unknown(&'a str),
}

impl House {
    /// Reads the re-exports in `lib.rs`.
    pub(super) fn new(core: &[File]) -> Result<House> {
        let mut house = House::default();
        for file in core.iter().filter(|file| file.module.is_empty()) {
            let reading = imports::read(file, "crate")?;
            house.tests.extend(reading.tests);
            for import in reading.imports {
                let from = import.path.into_iter().next().unwrap_or_default();
                house.reexports.insert(import.name, from);
            }
        }
        Ok(house)
    }

    /// Checks the modules of micro-core against each other. `lib.rs` is above them all.
    pub(super) fn check_core(&self, files: &[File]) -> Result<Vec<Fault>> {
        let check = |file: &File, import: &Import| match file.module.first() {
            Some(top) => self.core_rule(top, import),
            None => None,
        };
        let mut faults = check_files(files, "crate", check)?;
        faults.extend(self.strangers(files));
        Ok(faults)
    }

    /// Checks what a plugin crate uses of micro-core.
    pub(super) fn check_plugin(&self, files: &[File]) -> Result<Vec<Fault>> {
        check_files(files, "micro_core", |_, import| self.plugin_rule(import))
    }

    /// The modules that no table names.
    fn strangers(&self, files: &[File]) -> Vec<Fault> {
        let mut found: Vec<Fault> = Vec::new();
        for file in files {
            let Some(top) = file.module.first() else { continue };
            let is_known = module(top).is_some() || self.tests.contains(&vec![top.clone()]);
            if !is_known && found.iter().all(|fault| fault.import != *top) {
                found.push(Fault {
                    file: file.path.clone(),
                    line: 1,
                    import: top.clone(),
                    rule: unknown(top),
                });
            }
        }
        found
    }

    fn core_rule(&self, from: &str, import: &Import) -> Option<String> {
        let from = module(from)?;
        match self.target(import) {
            Target::Module(to) if to.name == from.name => None,
            Target::Module(to) if to.floor < from.floor || from.beside.contains(&to.name) => None,
            Target::Module(to) => Some(format!(
                "{} (floor {}) may not import {} (floor {}): imports go down only; beside it: {}",
                from.name,
                from.floor,
                to.name,
                to.floor,
                listed(from.beside)
            )),
            Target::Foreign => None,
            Target::Unknown(name) => Some(unknown(name)),
        }
    }

    fn plugin_rule(&self, import: &Import) -> Option<String> {
        match self.target(import) {
            Target::Module(to) if to.floor <= PLUGIN_FLOOR || PLUGIN_MODULES.contains(&to.name) => None,
            Target::Module(to) => Some(format!(
                "a plugin uses floors 0 to {PLUGIN_FLOOR} of micro-core and {}; {} is on floor {}",
                listed(PLUGIN_MODULES),
                to.name,
                to.floor
            )),
            Target::Foreign => None,
            Target::Unknown(name) => Some(unknown(name)),
        }
    }

    fn target<'a>(&self, import: &'a Import) -> Target<'a> {
        let top = import.path.first().map_or("*", String::as_str);
        if let Some(module) = module(top) {
            return Target::Module(module);
        }
        match self.reexports.get(top) {
            Some(from) => module(from).map_or(Target::Foreign, Target::Module),
            None => Target::Unknown(top),
        }
    }
}

fn module(name: &str) -> Option<&'static Module> {
    MODULES.iter().find(|module| module.name == name)
}

/// Applies a rule to every import of every file, apart from those of tests.
fn check_files(
    files: &[File],
    root: &str,
    rule: impl Fn(&File, &Import) -> Option<String>,
) -> Result<Vec<Fault>> {
    let readings: Vec<_> = files
        .iter()
        .map(|file| imports::read(file, root))
        .collect::<Result<_>>()?;
    let tests: Vec<&Vec<String>> = readings.iter().flat_map(|reading| &reading.tests).collect();
    let mut faults = Vec::new();
    for (file, reading) in files.iter().zip(&readings) {
        if tests.iter().any(|test| file.module.starts_with(test)) {
            continue;
        }
        for import in &reading.imports {
            faults.extend(rule(file, import).map(|rule| fault(file, import, root, rule)));
        }
    }
    Ok(faults)
}

fn fault(file: &File, import: &Import, root: &str, rule: String) -> Fault {
    Fault {
        file: file.path.clone(),
        line: import.line,
        import: format!("{root}::{}", import.path.join("::")),
        rule,
    }
}

fn unknown(name: &str) -> String {
    format!(
        "{name} is neither in the table nor re-exported by name: add the module to MODULES in xtask/src/floors.rs"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: &str = "pub mod error;\npub use error::{Error, Result as R};\npub use bytes::Bytes;\n#[cfg(test)]\nmod tests;";

    fn file(module: &str, text: &str) -> File {
        File {
            path: format!("micro-core/src/{module}.rs"),
            module: module
                .split('/')
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
            text: text.to_owned(),
        }
    }

    fn house() -> House {
        House::new(&[file("", LIB)]).unwrap()
    }

    fn core(module: &str, text: &str) -> Vec<String> {
        let faults = house().check_core(&[file(module, text)]).unwrap();
        faults
            .into_iter()
            .map(|fault| format!("{}:{} {}: {}", fault.file, fault.line, fault.import, fault.rule))
            .collect()
    }

    fn plugin(text: &str) -> usize {
        house().check_plugin(&[file("driver", text)]).unwrap().len()
    }

    #[test]
    fn imports_that_go_down_are_fine() {
        for (module, text) in [
            (
                "client/call",
                "use crate::rpc::Request; use crate::selector::Pick; use super::pool::Pool;",
            ),
            (
                "memory/broker",
                "use crate::{broker::Broker, queue::Queue}; use crate::memory::table::T;",
            ),
            ("codec", "use crate::{Error, R, Bytes};"),
            ("address", "use crate::error::Error;"),
            (
                "plugin",
                "use crate::broker::Broker; fn f() { crate::error::Error::new() }",
            ),
        ] {
            assert_eq!(core(module, text), [""; 0], "{module}");
        }
    }

    #[test]
    fn a_fault_names_file_line_import_and_rule() {
        assert_eq!(
            core("client", "\n\nuse crate::server::Router;"),
            [
                "micro-core/src/client.rs:3 crate::server::Router: client (floor 3) may not import server (floor 3): \
              imports go down only; beside it: selector"
            ]
        );
    }

    #[test]
    fn imports_that_go_up_or_aside_are_faults() {
        for (module, text) in [
            ("error", "use crate::message::Message;"),
            ("error", "use crate::rpc::Status;"),
            ("rpc", "use crate::transport::Socket;"),
            ("broker", "use crate::registry::Registry;"),
            ("server", "fn f() { crate::client::Client::new() }"),
            ("server", "use crate::memory::Memory;"),
            ("server", "use crate::plugin::Plugins;"),
            ("selector", "use crate::client::Client;"),
            ("memory/broker", "use super::super::client::Client;"),
            ("message", "use crate::{address::Address, Error};"),
            ("queue", "m!(crate::plugin::Plugins);"),
        ] {
            assert_eq!(core(module, text).len(), 1, "{module}: {text}");
        }
    }

    #[test]
    fn a_reexport_counts_as_its_module() {
        let lib = file("", "pub use client::Client;");
        let faults = House::new(&[lib])
            .unwrap()
            .check_core(&[file("server", "use crate::Client;")])
            .unwrap();
        assert_eq!(faults.len(), 1);
    }

    #[test]
    fn the_unknown_is_to_be_added_to_the_table() {
        for (module, text) in [
            ("novelty", ""),
            ("client", "use crate::novelty::X;"),
            ("client", "use crate::*;"),
        ] {
            let faults = core(module, text);
            assert_eq!(faults.len(), 1, "{text}");
            assert!(faults[0].contains("add the module to MODULES"), "{faults:?}");
        }
    }

    #[test]
    fn tests_are_exempt_in_place_and_in_a_file_of_their_own() {
        assert_eq!(
            core("error", "#[cfg(test)]\nmod tests { use crate::client::Client; }"),
            [""; 0]
        );
        let files = [
            file("error", "#[cfg(test)]\nmod tests;"),
            file("error/tests", "use crate::client::Client;"),
            file("tests", "use crate::client::Client;"),
        ];
        assert_eq!(house().check_core(&files).unwrap(), []);
    }

    #[test]
    fn a_plugin_uses_the_lower_floors_and_the_plugin_table() {
        let good = "use micro_core::{transport::Transport, plugin::Plugins, Error}; use crate::client::X; use super::memory::Y;";
        assert_eq!(plugin(good), 0);
        assert_eq!(plugin("use micro_core::memory::Memory;"), 1);
        assert_eq!(plugin("fn f() { micro_core::client::Client::new() }"), 1);
        assert_eq!(plugin("use micro_core::novelty::X;"), 1);
    }
}
