//! Mistakes are named after where they were made: in the environment, or on the command line.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command, Error};

/// Names the environment variable, in the place of the flag, wherever an error is about a value that came from there.
pub(super) fn named(mut error: Error, command: &Command, args: &[OsString]) -> Error {
    for kind in [ContextKind::InvalidArg, ContextKind::PriorArg] {
        let renamed = match error.get(kind) {
            Some(ContextValue::String(flag)) => ContextValue::String(origin(flag, command, args)),
            Some(ContextValue::Strings(flags)) => {
                let origins = flags.iter().map(|flag| origin(flag, command, args));
                ContextValue::Strings(origins.collect())
            }
            _ => continue,
        };
        error.insert(kind, renamed);
    }
    error
}

fn origin(flag: &str, command: &Command, args: &[OsString]) -> String {
    let arg = command.get_arguments().find(|arg| arg.to_string() == flag);
    let variable = arg.filter(|arg| !is_among(arg, args)).and_then(Arg::get_env);
    match variable.filter(|variable| std::env::var_os(variable).is_some()) {
        Some(variable) => format!("{} (environment variable)", variable.display()),
        None => flag.to_owned(),
    }
}

/// Whether it was given as `--flag value` or `--flag=value`, in one of its spellings. A flag beats the environment.
fn is_among(arg: &Arg, args: &[OsString]) -> bool {
    let aliases = arg.get_all_aliases().unwrap_or_default();
    let spellings: Vec<_> = arg.get_long().into_iter().chain(aliases).collect();
    args.iter().filter_map(|given| given.to_str()).any(|given| {
        let name = given.split_once('=').map_or(given, |(name, _)| name);
        name.strip_prefix("--")
            .is_some_and(|name| spellings.contains(&name))
    })
}
