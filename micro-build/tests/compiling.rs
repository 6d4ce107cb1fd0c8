//! What is generated of files, and what is said of those that are wrong.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// A folder of files, which is gone in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        for (name, text) in files {
            fs::write(path.join(name), text).unwrap();
        }
        Folder(path)
    }

    fn compile(&self, file: &str) -> Result<(), String> {
        let builder = micro_build::configure().out_dir(&self.0);
        let outcome = builder.compile(&[self.0.join(file)], &[&self.0]);
        // As a build script that fails shows it.
        outcome.map_err(|error| format!("{error:?}"))
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

#[test]
fn a_file_that_does_not_parse_is_told_with_its_place() {
    let text = "syntax = \"proto3\";\nmessage Broken {\n  string = 1;\n}\n";
    let folder = Folder::new("parse", &[("broken.proto", text)]);
    let said = folder.compile("broken.proto").unwrap_err();
    assert!(said.contains("broken.proto:3:"), "{said}");
}

#[test]
fn a_type_that_nobody_declares_is_told_with_its_place() {
    let text = "syntax = \"proto3\";\nservice S {\n  rpc M(Nobody) returns (Nobody);\n}\n";
    let folder = Folder::new("undeclared", &[("s.proto", text)]);
    let said = folder.compile("s.proto").unwrap_err();
    assert!(said.contains("s.proto:3:") && said.contains("Nobody"), "{said}");
}

#[test]
fn a_missing_file_or_import_is_named() {
    let text = "syntax = \"proto3\";\nimport \"elsewhere.proto\";\n";
    let folder = Folder::new("missing", &[("s.proto", text)]);
    let said = folder.compile("nowhere.proto").unwrap_err();
    assert!(said.contains("nowhere.proto"), "{said}");
    let said = folder.compile("s.proto").unwrap_err();
    assert!(said.contains("elsewhere.proto"), "{said}");
}

#[test]
fn a_file_without_services_has_messages_alone() {
    let text = "syntax = \"proto3\";\npackage a.b;\nmessage Only { string text = 1; }\n";
    let folder = Folder::new("messages", &[("only.proto", text)]);
    folder.compile("only.proto").unwrap();
    let text = folder.read("a.b.rs");
    assert!(
        text.contains("pub struct Only") && !text.contains("trait"),
        "{text}"
    );
}

#[test]
fn what_a_method_says_of_itself_is_kept() {
    let text = r#"syntax = "proto3";
        service S {
            rpc Plain(M) returns (M);
            rpc Safe(M) returns (M) { option idempotency_level = NO_SIDE_EFFECTS; }
            rpc Old(M) returns (M) { option deprecated = true; }
            rpc New(stream M) returns (stream M);
        }
        message M {}"#;
    let folder = Folder::new("methods", &[("s.proto", text)]);
    folder.compile("s.proto").unwrap();
    let text = folder.read("_.rs");
    let method = |name: &str| {
        let end = text.find(&format!("async fn {name}(")).unwrap();
        let start = text[..end].rfind("#[endpoint").unwrap();
        text[start..end].to_owned()
    };
    assert!(!method("plain").contains("idempotent"));
    assert!(method("safe").contains("idempotent"));
    assert!(text.contains("#[deprecated]\n    #[endpoint(name = \"Old\""));
    assert!(method("new_").contains("name = \"New\""));
}

#[test]
fn what_the_build_script_says_is_heeded() {
    let text = "syntax = \"proto3\";\npackage a;\nservice S { rpc Ask(M) returns (M); }\nmessage M {}\n";
    let folder = Folder::new("said", &[("a.proto", text)]);
    let builder = micro_build::configure()
        .out_dir(&folder.0)
        .include_file("all.rs")
        .codec("protobuf, json")
        .derived_json()
        .type_attribute(".a.M", "#[derive(Kept)]")
        .crate_path("::elsewhere::micro");
    builder
        .compile(&[folder.0.join("a.proto")], &[&folder.0])
        .unwrap();
    let text = folder.read("a.rs");
    for said in [
        r#"codec = "protobuf, json""#,
        r#"crate = "::elsewhere::micro""#,
        "#[derive(Kept)]",
        "ctx: &::elsewhere::micro::Context",
        "::elsewhere::micro::prost::Message",
    ] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    assert!(folder.read("all.rs").contains("pub mod a"));
}

/// A package per file: each has what it needs to read JSON, in one file of descriptors without comments.
#[test]
fn json_goes_by_the_descriptors_of_the_files() {
    let text = "syntax = \"proto3\";\npackage a;\n// Remarkable.\nservice S { rpc Ask(M) returns (M); }\nmessage M {}\n";
    let folder = Folder::new("json", &[("a.proto", text)]);
    folder.compile("a.proto").unwrap();
    let generated = folder.read("a.rs");
    for said in [
        r#"codec = "protobuf, json", crate = "::micro", descriptors = "MICRO_DESCRIPTORS""#,
        r#"request_message = "a.M", response_message = "a.M""#,
    ] {
        assert!(generated.contains(said), "{said} is not in {generated}");
    }
    let (_, rest) = generated.split_once("include_bytes!(\"").unwrap();
    let (file, _) = rest.split_once('"').unwrap();
    let descriptors = fs::read(folder.0.join(file)).unwrap();
    assert!(!descriptors.windows(10).any(|bytes| bytes == b"Remarkable"));
    let silent = micro_build::configure().out_dir(&folder.0).codec("protobuf");
    silent.compile(&[folder.0.join("a.proto")], &[&folder.0]).unwrap();
    assert!(!folder.read("a.rs").contains("MICRO_DESCRIPTORS"));
}
