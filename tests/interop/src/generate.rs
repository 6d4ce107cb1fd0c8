//! Go code of a .proto file, by the plugins that Go programmers give to `protoc`. No `protoc` is needed: what it would
//! tell them, protox knows.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use micro::prost::Message as _;
use prost_types::compiler::{CodeGeneratorRequest, CodeGeneratorResponse};
use serde_json::json;

/// What to generate, and where to.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The .proto file.
    proto: PathBuf,
    /// A plugin of `protoc`; all of them are run.
    #[arg(long, value_name = "FILE")]
    plugin: Vec<PathBuf>,
    /// The Go package that it becomes.
    #[arg(long)]
    package: String,
    /// The folder that Go takes for that package: nothing is written there.
    #[arg(long, value_name = "FOLDER")]
    instead_of: PathBuf,
    /// Where code goes, and `overlay.json` for `go build -overlay`, which puts it into the folder of the package.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let request = request(&args.proto, &args.package)?;
    fs::create_dir_all(&args.out)?;
    let mut overlay = serde_json::Map::new();
    for plugin in &args.plugin {
        for (name, content) in generated(plugin, &request)? {
            let file = std::path::absolute(args.out.join(&name))?;
            fs::write(&file, content)?;
            let instead_of = std::path::absolute(args.instead_of.join(&name))?;
            overlay.insert(
                instead_of.display().to_string(),
                file.display().to_string().into(),
            );
        }
    }
    let overlay = json!({ "Replace": overlay });
    Ok(fs::write(args.out.join("overlay.json"), overlay.to_string())?)
}

fn request(proto: &Path, package: &str) -> Result<Vec<u8>> {
    let name = proto.file_name().and_then(|name| name.to_str());
    let name = name.context("a .proto file")?.to_owned();
    let mut compiler = protox::Compiler::new([proto.parent().context("a folder")?])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_file(&name)?;
    let request = CodeGeneratorRequest {
        parameter: Some(format!("paths=source_relative,M{name}={package}")),
        file_to_generate: vec![name],
        proto_file: compiler.file_descriptor_set().file,
        compiler_version: None,
    };
    Ok(request.encode_to_vec())
}

/// Names and contents of files.
fn generated(plugin: &Path, request: &[u8]) -> Result<Vec<(String, String)>> {
    let mut child = Command::new(plugin)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", plugin.display()))?;
    // It reads all before it writes anything.
    child.stdin.take().context("standard input")?.write_all(request)?;
    let output = child.wait_with_output()?;
    ensure!(
        output.status.success(),
        "{} failed ({})",
        plugin.display(),
        output.status
    );
    let response = CodeGeneratorResponse::decode(output.stdout.as_slice())?;
    if let Some(error) = response.error.filter(|error| !error.is_empty()) {
        bail!("{}: {error}", plugin.display());
    }
    let files = response.file.into_iter();
    Ok(files
        .map(|file| (file.name.unwrap_or_default(), file.content.unwrap_or_default()))
        .collect())
}
