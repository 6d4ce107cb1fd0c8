//! What one call says of the nodes that it may go to.

use std::sync::Arc;

use crate::message::Text;
use crate::selector::{Strategy, Target};

/// Which nodes a call may go to, and how one is picked; by default any, as the client does it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    /// This node only, by its id.
    pub(crate) node: Option<Text>,
    /// Nodes of this version only.
    pub(crate) version: Option<Text>,
    /// Picks in place of the client's strategy.
    pub(crate) strategy: Option<Arc<dyn Strategy>>,
    /// How often it is made again after it may have run, in place of the client's number.
    pub(crate) retries: Option<u32>,
}

impl Choice {
    /// Whether every node will do.
    pub(super) fn is_open(&self) -> bool {
        self.node.is_none() && self.version.is_none()
    }

    pub(super) fn admits(&self, target: &Target) -> bool {
        self.node.as_deref().is_none_or(|id| id == target.node().id)
            && self
                .version
                .as_deref()
                .is_none_or(|version| version == target.version())
    }
}
