//! What methods are called in spans and metrics.

use std::collections::HashMap;
use std::sync::Arc;

use crate::observe::OTHER;
use crate::rpc::Request;

/// The methods of a server, by which its spans and metrics name them: `greeter/Greeter.Hello`.
///
/// What a caller asks for that is none of them is `_OTHER`, so that no caller can fill a store with names of its own.
/// A server that was told of none takes every name for known.
#[derive(Clone, Debug, Default)]
pub struct Methods(Option<Arc<HashMap<String, Arc<str>>>>);

impl Methods {
    /// The endpoints of a service.
    pub fn new<N: Into<String>>(service: &str, endpoints: impl IntoIterator<Item = N>) -> Self {
        let named = endpoints.into_iter().map(|endpoint| {
            let endpoint = endpoint.into();
            let name = full_name(service, &endpoint);
            (endpoint, name)
        });
        Methods(Some(Arc::new(named.collect())))
    }

    /// What a request asks for.
    pub(super) fn name(&self, request: &Request) -> Arc<str> {
        match &self.0 {
            Some(known) => known.get(&*request.endpoint).cloned().unwrap_or(OTHER.into()),
            None => full_name(&request.service, &request.endpoint),
        }
    }
}

pub(super) fn full_name(service: &str, endpoint: &str) -> Arc<str> {
    format!("{service}/{endpoint}").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn name(methods: &Methods, endpoint: &'static str) -> Arc<str> {
        methods.name(&Request::new("said", endpoint, Bytes::new()))
    }

    #[test]
    fn what_is_not_known_is_other() {
        let methods = Methods::new("greeter", ["Greeter.Hello"]);
        assert_eq!(&*name(&methods, "Greeter.Hello"), "greeter/Greeter.Hello");
        assert_eq!(&*name(&methods, "Greeter.Bye"), OTHER);
    }

    #[test]
    fn where_none_were_told_all_are_known() {
        assert_eq!(&*name(&Methods::default(), "A.B"), "said/A.B");
    }
}
