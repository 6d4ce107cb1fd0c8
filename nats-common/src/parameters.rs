//! What a plugin is told behind its address.

use micro_core::plugin::without_login;
use micro_core::{PluginConfig, Result};

/// Takes a plugin's own parameters out of the addresses: what is behind a `?`, as in `host:4222?name=value&other=value`.
/// Each is handed to `set`; an address of nothing else leaves the default server.
///
/// # Errors
/// What `set` answers, with the address concerned.
pub fn parameters(config: &PluginConfig, mut set: impl FnMut(&str) -> Result<()>) -> Result<PluginConfig> {
    let mut config = config.clone();
    for address in &mut config.addresses {
        let Some((server, query)) = address.split_once('?') else {
            continue;
        };
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            set(parameter).map_err(|error| error.with_context("address", without_login(server)))?;
        }
        *address = server.to_owned();
    }
    config.addresses.retain(|address| !address.is_empty());
    Ok(config)
}

#[cfg(test)]
mod tests {
    use micro_core::{Error, ErrorKind};

    use super::*;

    #[test]
    fn an_error_names_the_address_and_not_its_login() {
        let config = PluginConfig::default().with_addresses("a:1,nats://ada:hush@b:2?x=1");
        let refuse = |_: &str| Err(Error::new(ErrorKind::InvalidArgument, "unknown"));
        let error = parameters(&config, refuse).unwrap_err().to_string();
        assert!(error.contains("***@b:2") && !error.contains("hush"), "{error}");
    }
}
