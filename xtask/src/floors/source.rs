//! The source files of a crate, and the module that each of them is.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// A source file.
pub(super) struct File {
    /// Where it is, from the folder of the workspace.
    pub(super) path: String,
    /// The module that it is, from the root of its crate: empty for `lib.rs`.
    pub(super) module: Vec<String>,
    pub(super) text: String,
}

/// Reads every file below `src` in the folder of a crate, in the order of their names.
pub(super) fn read(workspace: &Path, folder: &Path) -> Result<Vec<File>> {
    let source = folder.join("src");
    let mut files = Vec::new();
    collect(workspace, &source, &source, &mut files)?;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn collect(workspace: &Path, source: &Path, folder: &Path, files: &mut Vec<File>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(workspace, source, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(File {
                path: path
                    .strip_prefix(workspace)
                    .unwrap_or(&path)
                    .display()
                    .to_string(),
                module: module_of(path.strip_prefix(source)?),
                text: fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?,
            });
        }
    }
    Ok(())
}

/// `client/call.rs` is `client::call`, `client/mod.rs` is `client`, `lib.rs` is the root.
fn module_of(path: &Path) -> Vec<String> {
    let mut module: Vec<String> = path
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    let is_root = module.len() == 1 && ["lib", "main"].contains(&module[0].as_str());
    if is_root || module.last().is_some_and(|name| name == "mod") {
        module.pop();
    }
    module
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_module() {
        let module = |path: &str| module_of(Path::new(path)).join("::");
        assert_eq!(module("lib.rs"), "");
        assert_eq!(module("error.rs"), "error");
        assert_eq!(module("client/mod.rs"), "client");
        assert_eq!(module("client/call.rs"), "client::call");
        assert_eq!(module("client/lib.rs"), "client::lib");
    }
}
