//! From arguments to flags, with the known plugins in the help and in the errors.

use std::ffi::OsString;

use clap::{Args, Command, FromArgMatches};
use micro_core::plugin::{Plugins, Table};

use super::origin;

pub(super) const TRANSPORT: &str = "What carries calls";
pub(super) const BROKER: &str = "What carries events";
pub(super) const REGISTRY: &str = "What knows who serves what";

/// Lets a command know the plugins of this table: in its help, and in the errors about unknown names.
///
/// For programs that flatten [`Flags`](crate::Flags) beside flags of their own and add plugins of their own; see
/// [`Service::from_args_with`](crate::Service::from_args_with) for those that have no flags of their own.
pub fn know_plugins(command: Command, plugins: &Plugins) -> Command {
    let plugins = plugins.clone();
    command.mut_args(move |arg| match arg.get_id().as_str() {
        "transport" => checked(arg, TRANSPORT, &plugins.transport),
        "broker" => checked(arg, BROKER, &plugins.broker),
        "registry" => checked(arg, REGISTRY, &plugins.registry),
        _ => arg,
    })
}

fn checked<T: ?Sized + 'static>(arg: clap::Arg, about: &str, table: &Table<T>) -> clap::Arg {
    let help = known(about, table);
    let table = table.clone();
    arg.help(help)
        .value_parser(move |plugin: &str| table.check(plugin).map(|()| plugin.to_owned()))
}

pub(super) fn known<T: ?Sized>(about: &str, table: &Table<T>) -> String {
    let names = table.names().collect::<Vec<_>>().join(", ");
    format!("{about}: {names} [default: memory]")
}

/// Parses the arguments of the process; prints and ends it as clap does.
pub(crate) fn parse<F: Args + FromArgMatches>(name: &str, plugins: &Plugins) -> F {
    try_parse(name, plugins, std::env::args_os()).unwrap_or_else(|error| error.exit())
}

/// Parses arguments, of which the first is the name of the program.
pub(crate) fn try_parse<F: Args + FromArgMatches>(
    name: &str,
    plugins: &Plugins,
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<F, clap::Error> {
    let command = Command::new(name.to_owned())
        .version(concat!("on micro ", env!("CARGO_PKG_VERSION")))
        .after_help(
            "Every flag may be written with hyphens. A flag beats the environment, which beats the program.",
        );
    let mut command = know_plugins(F::augment_args(command), plugins);
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let matches = command.try_get_matches_from_mut(args.clone());
    let matches = matches.map_err(|error| origin::named(error, &command, &args))?;
    F::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Settings that can never work, as clap says it: exit code 2.
pub(crate) fn mistake(error: micro_core::Error) -> clap::Error {
    clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("{error}\n"))
}
