//! What a registry holds: services, their nodes and their endpoints, in go-micro's JSON form.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::message::Metadata;
use crate::name;
use crate::shape::{Value, null_is_default};

/// One version of a service: what go-micro calls a `Service` in its registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceRecord {
    /// The name by which it is found.
    #[serde(deserialize_with = "null_is_default")]
    pub name: String,
    /// The version; versions stay apart, each with its own nodes. May be empty.
    #[serde(deserialize_with = "null_is_default")]
    pub version: String,
    /// Free text beside it.
    #[serde(deserialize_with = "null_is_default")]
    pub metadata: Metadata,
    /// What can be called.
    #[serde(deserialize_with = "null_is_default")]
    pub endpoints: Vec<Endpoint>,
    /// Where it runs.
    #[serde(deserialize_with = "null_is_default")]
    pub nodes: Vec<Node>,
}

impl ServiceRecord {
    /// A record without nodes.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        ServiceRecord {
            name: name.into(),
            version: version.into(),
            ..ServiceRecord::default()
        }
    }

    /// Adds a node.
    #[must_use]
    pub fn with_node(mut self, node: Node) -> Self {
        self.nodes.push(node);
        self
    }

    /// Adds an endpoint.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Checks that it can be registered: a legal name, and at least one node, each with an id and an address.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`], saying what is wrong.
    pub fn check(&self) -> Result<()> {
        name::check_service(&self.name)?;
        if self.nodes.is_empty() {
            return Err(self.invalid("a service is registered with at least one node"));
        }
        if self
            .nodes
            .iter()
            .any(|node| node.id.is_empty() || node.address.is_empty())
        {
            return Err(self.invalid("a node has an id and an address"));
        }
        Ok(())
    }

    /// Takes in what another answer says of the same name and version: a node id that is known is replaced, others
    /// are added, and the other's endpoints and metadata win where it has any.
    pub fn merge(&mut self, other: ServiceRecord) {
        for node in other.nodes {
            match self.nodes.iter_mut().find(|known| known.id == node.id) {
                Some(known) => *known = node,
                None => self.nodes.push(node),
            }
        }
        if !other.endpoints.is_empty() {
            self.endpoints = other.endpoints;
        }
        if !other.metadata.is_empty() {
            self.metadata = other.metadata;
        }
    }

    fn invalid(&self, message: &str) -> Error {
        Error::new(ErrorKind::InvalidArgument, message).with_context("service", &self.name)
    }
}

/// One running instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// What its transport, broker and encoding are; see [`crate::transport::Listener::metadata`].
    #[serde(deserialize_with = "null_is_default")]
    pub metadata: Metadata,
    /// Unique among all nodes; go-micro's form is `<service>-<uuid>`.
    #[serde(deserialize_with = "null_is_default")]
    pub id: String,
    /// Where its transport dials it.
    #[serde(deserialize_with = "null_is_default")]
    pub address: String,
}

impl Node {
    /// A node without metadata.
    pub fn new(id: impl Into<String>, address: impl Into<String>) -> Self {
        Node {
            id: id.into(),
            address: address.into(),
            metadata: Metadata::new(),
        }
    }

    /// Sets metadata.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }
}

/// One thing that can be called, or a topic that the service subscribes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Endpoint {
    /// The shape of what it takes.
    pub request: Option<Value>,
    /// The shape of what it answers.
    pub response: Option<Value>,
    /// `description`, `example`, `stream` = `true`, `topic`, `subscriber` = `true`, as go-micro has them.
    #[serde(deserialize_with = "null_is_default")]
    pub metadata: Metadata,
    /// `Type.Method`.
    #[serde(deserialize_with = "null_is_default")]
    pub name: String,
}

impl Endpoint {
    /// An endpoint of which only the name is told.
    pub fn new(name: impl Into<String>) -> Self {
        Endpoint {
            name: name.into(),
            ..Endpoint::default()
        }
    }

    /// Sets metadata.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_node_id_is_replaced_by_a_merge() {
        let mut record = ServiceRecord::new("a", "1").with_node(Node::new("n", "old"));
        record.merge(
            ServiceRecord::new("a", "1")
                .with_node(Node::new("n", "new"))
                .with_node(Node::new("m", "x")),
        );
        assert_eq!(record.nodes, [Node::new("n", "new"), Node::new("m", "x")]);
    }

    #[test]
    fn a_record_of_nulls_is_read_as_empty() {
        let text = r#"{"name":"a","version":"1","metadata":null,"endpoints":null,"nodes":null}"#;
        assert_eq!(
            serde_json::from_str::<ServiceRecord>(text).unwrap(),
            ServiceRecord::new("a", "1")
        );
    }

    #[test]
    fn a_record_without_nodes_cannot_be_registered() {
        assert_eq!(
            ServiceRecord::new("a", "").check().unwrap_err().kind(),
            ErrorKind::InvalidArgument
        );
        let nameless = ServiceRecord::new("a", "").with_node(Node::new("", "x"));
        assert_eq!(nameless.check().unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}
