//! Whether anybody still waits for a call. It costs nothing before somebody asks.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// Can be cancelled by all who share it, and ends with its parent.
///
/// Most calls are over before anybody watches them, so a token is made when somebody does.
#[derive(Debug)]
pub(crate) enum Cancellation {
    /// Its owner's alone, until somebody asks for it.
    Own(OnceLock<Arc<Node>>),
    /// Somebody else may have it, too.
    Shared(Arc<Node>),
}

#[derive(Debug, Default)]
pub(crate) struct Node {
    parent: Option<Arc<Node>>,
    token: OnceLock<CancellationToken>,
}

impl Cancellation {
    /// One that ends with this one, and can end before it.
    pub(crate) fn child(&self) -> Self {
        Cancellation::Shared(Arc::new(Node {
            parent: Some(self.node().clone()),
            token: OnceLock::new(),
        }))
    }

    /// Whether nobody else has it, and nobody has ended or watched it: whatever it has been for, it is as good as new.
    pub(crate) fn is_untouched(&mut self) -> bool {
        match self {
            Cancellation::Own(_) => false,
            Cancellation::Shared(node) => Arc::get_mut(node).is_some_and(|node| node.token.get().is_none()),
        }
    }

    /// Whether anybody else can end it. One that nobody shares, and that has no parent, only its owner can end.
    pub(crate) fn is_shared(&self) -> bool {
        self.get().is_some()
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.get().is_some_and(|node| node.is_cancelled())
    }

    pub(crate) async fn cancelled(&self) {
        self.node().token().cancelled().await;
    }

    pub(crate) fn cancel(&self) {
        self.node().token().cancel();
    }

    fn get(&self) -> Option<&Arc<Node>> {
        match self {
            Cancellation::Own(node) => node.get(),
            Cancellation::Shared(node) => Some(node),
        }
    }

    fn node(&self) -> &Arc<Node> {
        match self {
            Cancellation::Own(node) => node.get_or_init(Arc::default),
            Cancellation::Shared(node) => node,
        }
    }
}

impl Default for Cancellation {
    fn default() -> Self {
        Cancellation::Own(OnceLock::new())
    }
}

/// The same once more: whoever ends one ends both.
impl Clone for Cancellation {
    fn clone(&self) -> Self {
        Cancellation::Shared(self.node().clone())
    }
}

impl Node {
    fn token(&self) -> &CancellationToken {
        self.token.get_or_init(|| match &self.parent {
            Some(parent) => parent.token().child_token(),
            None => CancellationToken::new(),
        })
    }

    fn is_cancelled(&self) -> bool {
        match (self.token.get(), &self.parent) {
            (Some(token), _) => token.is_cancelled(),
            (None, Some(parent)) => parent.is_cancelled(),
            (None, None) => false,
        }
    }
}
