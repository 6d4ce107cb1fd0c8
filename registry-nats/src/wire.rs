//! What registries say to each other, as go-micro writes it.
//!
//! A go-micro process that listens dies of a `get`, `create` or `delete` without a service. So the functions that
//! write take what they need as arguments that cannot be absent, and those that read take nothing for granted.

use bytes::Bytes;
use micro_core::registry::{Action, Change, ServiceRecord};
use micro_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// go-micro's `Result`: what is published on the subjects for queries and for changes.
#[derive(Serialize)]
struct Notice<'a> {
    #[serde(rename = "Service")]
    service: Option<&'a ServiceRecord>,
    #[serde(rename = "Action")]
    action: &'static str,
}

/// The same, as it may come.
#[derive(Deserialize)]
struct AnyNotice {
    #[serde(rename = "Service", alias = "service", default)]
    service: Option<ServiceRecord>,
    #[serde(rename = "Action", alias = "action", default)]
    action: Option<String>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    /// Every version of this service.
    Get(String),
    /// Everything.
    List,
}

impl Query {
    /// Whether an answer about this service is one to this query.
    pub(crate) fn covers(&self, service: &str) -> bool {
        match self {
            Query::Get(name) => name == service,
            Query::List => true,
        }
    }

    /// The payload that asks.
    pub(crate) fn write(&self) -> Result<Bytes> {
        match self {
            Query::Get(name) => write(&Notice {
                service: Some(&ServiceRecord::new(name, "")),
                action: "get",
            }),
            Query::List => write(&Notice {
                service: None,
                action: "list",
            }),
        }
    }

    /// Reads what somebody asks.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] for what is no query.
    pub(crate) fn read(payload: &[u8]) -> Result<Query> {
        let notice: AnyNotice = read(payload)?;
        match (notice.action.as_deref(), notice.service) {
            (Some("list"), _) => Ok(Query::List),
            (Some("get"), Some(service)) if !service.name.is_empty() => Ok(Query::Get(service.name)),
            _ => Err(malformed("it asks for nothing", payload)),
        }
    }
}

/// The payloads that announce a change; more than one when the nodes do not fit into `limit` bytes.
///
/// # Errors
/// [`ErrorKind::ResourceExhausted`] when even one node is too much.
pub(crate) fn write_change(change: &Change, limit: usize) -> Result<Vec<Bytes>> {
    let action = match change.action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Delete => "delete",
    };
    let notice = |service: &ServiceRecord| {
        write(&Notice {
            service: Some(service),
            action,
        })
    };
    split(&change.service, limit, &notice)
}

/// Reads a change.
///
/// # Errors
/// [`ErrorKind::Malformed`] for what is no change, or one of no node.
pub(crate) fn read_change(payload: &[u8]) -> Result<Change> {
    let notice: AnyNotice = read(payload)?;
    let action = match notice.action.as_deref() {
        Some("create") => Action::Create,
        Some("update") => Action::Update,
        Some("delete") => Action::Delete,
        _ => return Err(malformed("it says nothing that happened", payload)),
    };
    let mut service = notice
        .service
        .ok_or_else(|| malformed("it names no service", payload))?;
    keep_usable(&mut service, action != Action::Delete, payload)?;
    Ok(Change::new(action, service))
}

/// The payloads that answer a query with one version; more than one when the nodes do not fit into `limit` bytes.
///
/// # Errors
/// [`ErrorKind::ResourceExhausted`] when even one node is too much.
pub(crate) fn write_answer(service: &ServiceRecord, limit: usize) -> Result<Vec<Bytes>> {
    split(service, limit, &write)
}

/// Reads an answer.
///
/// # Errors
/// [`ErrorKind::Malformed`] for what is no service, or one without a node that could be dialled.
pub(crate) fn read_answer(payload: &[u8]) -> Result<ServiceRecord> {
    let service: Option<ServiceRecord> = read(payload)?;
    let mut service = service.ok_or_else(|| malformed("it is null", payload))?;
    keep_usable(&mut service, true, payload)?;
    Ok(service)
}

/// Drops the nodes that nobody could refer to, or, when `dialled`, not reach.
fn keep_usable(service: &mut ServiceRecord, dialled: bool, payload: &[u8]) -> Result<()> {
    service.nodes.retain(|node| {
        let reachable = !dialled || !node.address.is_empty();
        reachable && !node.id.is_empty()
    });
    match service.name.is_empty() || service.nodes.is_empty() {
        true => Err(malformed("it names no service or no node", payload)),
        false => Ok(()),
    }
}

fn split(
    service: &ServiceRecord,
    limit: usize,
    write: &impl Fn(&ServiceRecord) -> Result<Bytes>,
) -> Result<Vec<Bytes>> {
    let payload = write(service)?;
    if payload.len() <= limit {
        return Ok(vec![payload]);
    }
    if service.nodes.len() < 2 {
        return Err(
            Error::new(ErrorKind::ResourceExhausted, "the record is too large")
                .with_context("service", &service.name)
                .with_context("bytes", payload.len())
                .with_context("limit", limit),
        );
    }
    let (mut first, mut second) = (service.clone(), service.clone());
    second.nodes.drain(..service.nodes.len() / 2);
    first.nodes.truncate(service.nodes.len() / 2);
    let mut payloads = split(&first, limit, write)?;
    payloads.extend(split(&second, limit, write)?);
    Ok(payloads)
}

fn write(value: &impl Serialize) -> Result<Bytes> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| Error::new(ErrorKind::Internal, "the record cannot be written").with_source(error))
}

fn read<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T> {
    serde_json::from_slice(payload).map_err(|error| malformed("it is no record", payload).with_source(error))
}

fn malformed(reason: &str, payload: &[u8]) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!("not a registry's message: {reason}"),
    )
    .with_context("bytes", payload.len())
}

#[cfg(test)]
mod tests;
