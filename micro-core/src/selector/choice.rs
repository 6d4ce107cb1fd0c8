//! What one call says of the nodes that it may go to.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::message::Text;
use crate::selector::{Strategy, Target};

/// Which nodes a call may go to, and how one is picked; by default any, as the client does it.
///
/// Most calls have no wishes, and then it is one word of their future.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice(Option<Box<Wishes>>);

#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// This node only, by its id.
    pub(crate) node: Option<Text>,
    /// Nodes of this version only.
    pub(crate) version: Option<Text>,
    /// Nodes whose metadata says all of these only.
    pub(crate) labels: Vec<(Text, Text)>,
    /// What the call is about.
    pub(crate) key: Option<Text>,
    /// Picks in place of the client's strategy.
    pub(crate) strategy: Option<Arc<dyn Strategy>>,
}

static NONE: Wishes = Wishes {
    node: None,
    version: None,
    labels: Vec::new(),
    key: None,
    strategy: None,
};

impl Deref for Choice {
    type Target = Wishes;

    fn deref(&self) -> &Wishes {
        self.0.as_deref().unwrap_or(&NONE)
    }
}

impl DerefMut for Choice {
    fn deref_mut(&mut self) -> &mut Wishes {
        self.0.get_or_insert_default()
    }
}

impl Wishes {
    /// Whether every node will do.
    pub(super) fn is_open(&self) -> bool {
        self.node.is_none() && self.version.is_none() && self.labels.is_empty()
    }

    pub(super) fn admits(&self, target: &Target) -> bool {
        self.node.as_deref().is_none_or(|id| id == target.node().id)
            && self
                .version
                .as_deref()
                .is_none_or(|version| version == target.version())
            && self
                .labels
                .iter()
                .all(|(key, value)| target.label(key) == Some(value.as_str()))
    }

    /// None of the service's nodes is one of these.
    pub(super) fn not_found(&self, service: &str) -> Error {
        let error = Error::new(
            ErrorKind::NotFound,
            "none of its nodes is the one that was asked for",
        );
        let mut error = error.with_context("service", service);
        for (key, value) in [("node", &self.node), ("version", &self.version)] {
            if let Some(value) = value {
                error = error.with_context(key, value);
            }
        }
        for (key, value) in &self.labels {
            error = error.with_context("label", format!("{key}={value}"));
        }
        error
    }
}
