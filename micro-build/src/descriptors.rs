//! What the files declare, for whoever reads messages without knowing their types.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use protox::Compiler;
use protox::prost_reflect::prost::Message;

use crate::error::Error;

/// Writes it beside the generated code, and returns the name of the file.
pub(crate) fn write(files: &Compiler, out_dir: Option<&Path>) -> Result<String, Error> {
    let encoded = without_places(files);
    // Of its content, so that two calls in one build script have a file each.
    let mut hasher = DefaultHasher::new();
    encoded.hash(&mut hasher);
    let name = format!("{:016x}.descriptors", hasher.finish());
    let folder = match out_dir {
        Some(folder) => folder.to_owned(),
        None => PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| Error::new("OUT_DIR is not set"))?),
    };
    fs::write(folder.join(&name), encoded).map_err(Error::new)?;
    Ok(name)
}

/// Comments and places are for the generator alone, and most of the whole.
fn without_places(files: &Compiler) -> Vec<u8> {
    let mut set = files.file_descriptor_set();
    for file in &mut set.file {
        file.source_code_info = None;
    }
    set.encode_to_vec()
}
