//! A place in a trace, as W3C's Trace Context writes it.

use crate::message::{Headers, Text};

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// A place in a trace: which trace, and which span of it.
///
/// It travels as the headers `traceparent` and `tracestate` of [W3C's Trace Context](https://www.w3.org/TR/trace-context/).
/// Their names are read in any case, since go-micro's peers capitalise them, and written in lower case.
///
/// ```
/// use micro_core::Headers;
/// use micro_core::observe::TraceContext;
///
/// let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let headers = Headers::from_iter([("Traceparent", text)]);
/// let trace = TraceContext::of(&headers).unwrap();
/// assert_eq!(trace.trace_id(), "0af7651916cd43dd8448eb211c80319c");
/// assert!(trace.is_sampled());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    parent: Text,
    state: Option<Text>,
}

impl TraceContext {
    /// Of the value of a `traceparent`; `None` when it is malformed.
    pub fn new(traceparent: impl Into<Text>) -> Option<Self> {
        let parent = traceparent.into();
        is_well_formed(&parent).then_some(TraceContext { parent, state: None })
    }

    /// Adds the value of a `tracestate`: what tracers other than ours have to say, unread.
    #[must_use]
    pub fn with_state(mut self, tracestate: impl Into<Text>) -> Self {
        let state = tracestate.into();
        self.state = (!state.is_empty()).then_some(state);
        self
    }

    /// What these headers say; `None` when they say nothing, or nothing that is well-formed.
    pub fn of(headers: &Headers) -> Option<Self> {
        let parent = TraceContext::new(find(headers, TRACEPARENT)?.to_owned())?;
        Some(match find(headers, TRACESTATE) {
            Some(state) => parent.with_state(state.to_owned()),
            None => parent,
        })
    }

    /// Says it in these headers, in place of what they said before.
    pub fn write(&self, headers: &mut Headers) {
        headers.retain(|name, _| !is(name, TRACEPARENT) && !is(name, TRACESTATE));
        headers.insert(TRACEPARENT, self.parent.clone());
        if let Some(state) = &self.state {
            headers.insert(TRACESTATE, state.clone());
        }
    }

    /// The value of `traceparent`.
    pub fn traceparent(&self) -> &str {
        &self.parent
    }

    /// The value of `tracestate`; `None` when there is none.
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Which trace: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        self.parent.get(3..35).unwrap_or_default()
    }

    /// Which span of it: 16 hexadecimal digits.
    pub fn span_id(&self) -> &str {
        self.parent.get(36..52).unwrap_or_default()
    }

    /// Whether the span is recorded by whoever made it.
    pub fn is_sampled(&self) -> bool {
        let flags = self.parent.get(53..55).unwrap_or_default();
        u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1)
    }
}

fn find<'h>(headers: &'h Headers, name: &str) -> Option<&'h str> {
    let (_, value) = headers.iter().find(|(other, _)| is(other, name))?;
    Some(value)
}

fn is(name: &str, wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted)
}

/// `version-trace id-span id-flags`; versions to come may append what we do not read.
fn is_well_formed(text: &str) -> bool {
    let mut parts = text.splitn(5, '-');
    let mut next = |digits: usize| parts.next().filter(|part| is_hex(part, digits));
    let known = |version: &str| version != "ff";
    let given = |id: &str| id.bytes().any(|digit| digit != b'0');
    let (version, trace, span, flags) = (next(2), next(32), next(16), next(2));
    let whole = version.is_some_and(known) && trace.is_some_and(given) && span.is_some_and(given);
    let more = parts.next().is_some();
    whole && flags.is_some() && (!more || version != Some("00"))
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[test]
    fn what_is_malformed_is_nothing() {
        for text in [
            String::new(),
            "00".to_owned(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}é-{SPAN}-01"),
        ] {
            assert_eq!(TraceContext::new(text.clone()), None, "{text:?}");
        }
    }

    #[test]
    fn a_later_version_may_say_more() {
        let trace = TraceContext::new(format!("01-{TRACE}-{SPAN}-03-more")).unwrap();
        assert_eq!((trace.trace_id(), trace.span_id()), (TRACE, SPAN));
        assert!(trace.is_sampled());
    }

    #[test]
    fn what_is_written_replaces_what_was_said_in_any_case() {
        let mut headers =
            Headers::from_iter([("Traceparent", "old"), ("TRACESTATE", "old=1"), ("Tenant", "a")]);
        let trace = TraceContext::new(format!("00-{TRACE}-{SPAN}-00")).unwrap();
        trace.write(&mut headers);
        assert_eq!(headers.len(), 2);
        assert_eq!(TraceContext::of(&headers), Some(trace.clone()));
        assert!(!trace.is_sampled());
        trace.with_state("vendor=1").write(&mut headers);
        assert_eq!(headers.get("tracestate"), Some("vendor=1"));
    }
}
