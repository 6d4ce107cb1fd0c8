//! `cargo xtask test`: every test, with a real nats-server at hand.

use std::env;

use anyhow::Result;

use crate::{nats, process};

/// Runs every test: `cargo test --workspace --all-targets`, then the examples in the documentation.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Passed on to `cargo test`: a filter, `-- --nocapture`. A `-p PACKAGE` or a target replaces all of them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARG")]
    args: Vec<String>,
}

/// The options of `cargo test` that choose packages or targets, and so replace our choice of all of them.
const CHOICES: &[&str] = &[
    "-p",
    "--package",
    "--workspace",
    "--lib",
    "--bin",
    "--bins",
    "--test",
    "--tests",
    "--example",
    "--examples",
    "--bench",
    "--benches",
    "--all-targets",
    "--doc",
];

pub(crate) fn run(_: &Args) -> Result<()> {
    let server = nats::ensure()?;
    // Not what clap holds, since it takes a leading `--` for itself.
    let args: Vec<String> = env::args().skip(2).collect();
    if !has_option(&args, CHOICES) {
        // As tests, which `--all-targets` makes of them, examples are no programs that a test could run.
        process::run(&mut process::cargo(["build", "--workspace", "--examples"]))?;
    }
    for line in plan(&args) {
        process::run(process::cargo(line).env(nats::VARIABLE, &server))?;
    }
    Ok(())
}

/// The command lines to run: cargo runs all targets or the documentation, not both.
fn plan(args: &[String]) -> Vec<Vec<&str>> {
    let choices: &[&[&str]] = match has_option(args, CHOICES) {
        true => &[&["test"]],
        false => &[
            &["test", "--workspace", "--all-targets"],
            &["test", "--workspace", "--doc"],
        ],
    };
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    choices.iter().map(|choice| [*choice, &args].concat()).collect()
}

/// Whether one of `options` is given, as `--name`, `--name=value` or `-pvalue`, before a lone `--`.
fn has_option(args: &[String], options: &[&str]) -> bool {
    let is = |arg: &str, option: &str| match arg.strip_prefix(option) {
        Some(rest) => rest.is_empty() || rest.starts_with('=') || !option.starts_with("--"),
        None => false,
    };
    args.iter()
        .take_while(|arg| *arg != "--")
        .any(|arg| options.iter().any(|option| is(arg, option)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(args: &[&str]) -> Vec<String> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        plan(&args).iter().map(|line| line.join(" ")).collect()
    }

    #[test]
    fn everything_is_tested_by_default() {
        assert_eq!(
            planned(&[]),
            ["test --workspace --all-targets", "test --workspace --doc"]
        );
    }

    #[test]
    fn a_chosen_package_or_target_replaces_everything() {
        for args in [
            &["-p", "x"][..],
            &["-px", "name"],
            &["--package=x"],
            &["--test", "suite"],
            &["--doc"],
        ] {
            assert_eq!(planned(args), [format!("test {}", args.join(" "))]);
        }
    }

    #[test]
    fn filters_and_profiles_are_passed_on_to_both() {
        assert_eq!(
            planned(&["--release", "name"]),
            [
                "test --workspace --all-targets --release name",
                "test --workspace --doc --release name"
            ]
        );
    }

    #[test]
    fn what_follows_two_hyphens_is_left_alone() {
        assert_eq!(
            planned(&["name", "--", "--test"])[1],
            "test --workspace --doc name -- --test"
        );
    }
}
