//! What the headers of a message say to the framework, told apart from metadata in one pass.

use super::Dialect;
use crate::message::{Headers, Text};
use crate::rpc::headers::{self as h, is_reserved};

/// The framework's headers of one message. The spellings of go-micro's older generations count where the newer are
/// missing.
#[derive(Default)]
pub(super) struct Said {
    id: Option<Text>,
    id_old: Option<Text>,
    service: Option<Text>,
    method: Option<Text>,
    endpoint: Option<Text>,
    pub(super) content_type: Option<Text>,
    pub(super) timeout: Option<Text>,
    pub(super) stream: Option<Text>,
    pub(super) control: Option<Text>,
    pub(super) error: Option<Text>,
    elder: Elder,
    /// All that is not the framework's.
    pub(super) metadata: Headers,
}

/// With the prefix of the oldest generation.
#[derive(Default)]
struct Elder {
    id: Option<Text>,
    id_old: Option<Text>,
    service: Option<Text>,
    method: Option<Text>,
    endpoint: Option<Text>,
    error: Option<Text>,
}

impl Said {
    pub(super) fn of(mut headers: Headers) -> Self {
        let mut said = Said::default();
        headers.take_if(|name, value| match said.place(name) {
            Some(place) => {
                *place = Some(std::mem::take(value));
                true
            }
            None => is_reserved(name),
        });
        said.metadata = headers;
        said
    }

    fn place(&mut self, name: &str) -> Option<&mut Option<Text>> {
        Some(match name {
            h::ID => &mut self.id,
            h::SERVICE => &mut self.service,
            h::ENDPOINT => &mut self.endpoint,
            h::CONTENT_TYPE => &mut self.content_type,
            h::TIMEOUT => &mut self.timeout,
            h::METHOD => &mut self.method,
            h::ID_OLD => &mut self.id_old,
            h::STREAM => &mut self.stream,
            h::ERROR => &mut self.error,
            h::CONTROL => &mut self.control,
            "X-Micro-ID" => &mut self.elder.id,
            "X-Micro-Id" => &mut self.elder.id_old,
            "X-Micro-Service" => &mut self.elder.service,
            "X-Micro-Method" => &mut self.elder.method,
            "X-Micro-Endpoint" => &mut self.elder.endpoint,
            "X-Micro-Error" => &mut self.elder.error,
            _ => return None,
        })
    }

    /// The id, and the header to echo it in: the new spelling where both came.
    pub(super) fn take_id(&mut self) -> (&'static str, Option<Text>) {
        let new = self.id.take().or_else(|| self.elder.id.take());
        match (new, self.id_old.take()) {
            (Some(id), _) => (h::ID, Some(id)),
            (None, Some(old)) => (h::ID_OLD, Some(old)),
            (None, None) => (h::ID, self.elder.id_old.take()),
        }
    }

    pub(super) fn take_service(&mut self) -> Text {
        either(self.service.take(), &mut self.elder.service)
    }

    /// Older callers say the method alone.
    pub(super) fn take_endpoint(&mut self) -> Text {
        let endpoint = either(self.endpoint.take(), &mut self.elder.endpoint);
        match endpoint.is_empty() {
            true => either(self.method.take(), &mut self.elder.method),
            false => endpoint,
        }
    }

    /// What the caller understands that sent this: to a peer of ours, ours says nothing twice.
    pub(super) fn dialect(&self) -> Dialect {
        match self.method {
            Some(_) => Dialect::GoMicro,
            None if self.says(h::ITEMS) => Dialect::Packs,
            None => Dialect::Ours,
        }
    }

    /// Whether that is what it says beyond go-micro's vocabulary.
    pub(super) fn says(&self, control: &str) -> bool {
        self.control.as_deref() == Some(control)
    }

    /// What an answer says went wrong.
    pub(super) fn take_failure(&mut self) -> Option<Text> {
        self.error.take().or_else(|| self.elder.error.take())
    }
}

fn either(newer: Option<Text>, elder: &mut Option<Text>) -> Text {
    newer.or_else(|| elder.take()).unwrap_or_default()
}
