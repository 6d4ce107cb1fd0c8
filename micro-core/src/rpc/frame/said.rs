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
    /// Boxed, since no message of today has it.
    elder: Option<Box<Elder>>,
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
            _ => return self.place_of_elder(name),
        })
    }

    fn place_of_elder(&mut self, name: &str) -> Option<&mut Option<Text>> {
        let place: fn(&mut Elder) -> &mut Option<Text> = match name {
            "X-Micro-ID" => |elder| &mut elder.id,
            "X-Micro-Id" => |elder| &mut elder.id_old,
            "X-Micro-Service" => |elder| &mut elder.service,
            "X-Micro-Method" => |elder| &mut elder.method,
            "X-Micro-Endpoint" => |elder| &mut elder.endpoint,
            "X-Micro-Error" => |elder| &mut elder.error,
            _ => return None,
        };
        Some(place(self.elder.get_or_insert_default()))
    }

    fn take_elder(&mut self, which: fn(&mut Elder) -> &mut Option<Text>) -> Option<Text> {
        which(self.elder.as_mut()?).take()
    }

    /// The id, and the header to echo it in: the new spelling where both came.
    pub(super) fn take_id(&mut self) -> (&'static str, Option<Text>) {
        let new = self.id.take().or_else(|| self.take_elder(|elder| &mut elder.id));
        match (new, self.id_old.take()) {
            (Some(id), _) => (h::ID, Some(id)),
            (None, Some(old)) => (h::ID_OLD, Some(old)),
            (None, None) => (h::ID, self.take_elder(|elder| &mut elder.id_old)),
        }
    }

    pub(super) fn take_service(&mut self) -> Text {
        let service = self.service.take();
        let elder = || self.take_elder(|elder| &mut elder.service);
        service.or_else(elder).unwrap_or_default()
    }

    /// Older callers say the method alone.
    pub(super) fn take_endpoint(&mut self) -> Text {
        let endpoint = self.endpoint.take();
        let endpoint = endpoint.or_else(|| self.take_elder(|elder| &mut elder.endpoint));
        if let Some(endpoint) = endpoint.filter(|endpoint| !endpoint.is_empty()) {
            return endpoint;
        }
        let method = self.method.take();
        let elder = || self.take_elder(|elder| &mut elder.method);
        method.or_else(elder).unwrap_or_default()
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
        self.error
            .take()
            .or_else(|| self.take_elder(|elder| &mut elder.error))
    }
}
