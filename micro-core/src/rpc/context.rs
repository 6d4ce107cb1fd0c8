//! What flows along with a call: its deadline, its metadata, and whether anybody still waits for it.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::Instant;

use crate::address::Address;
use crate::message::{Headers, Text};
use crate::rpc::cancellation::Cancellation;

static NO_METADATA: Headers = Headers::new();

/// What flows along with a call: deadline, metadata, cancellation, and who is at the other end.
///
/// A handler gets one; passing it to a nested call (`.context(&ctx)`) hands on what is left of the deadline, and the
/// nested call is cancelled with this one. Cloning is cheap, and spawned work may hold it.
#[derive(Clone, Debug, Default)]
pub struct Context {
    deadline: Option<Instant>,
    /// `None` when there is none.
    metadata: Option<Arc<Headers>>,
    cancellation: Cancellation,
    peer: Option<Address>,
}

impl Context {
    /// No deadline, no metadata, never cancelled.
    pub fn new() -> Self {
        Context::default()
    }

    /// Sets a deadline this far from now; an earlier one stays.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        self.with_timeout_from(Instant::now(), timeout)
    }

    /// Sets a deadline this far from a time that was read already; an earlier one stays.
    #[must_use]
    pub(crate) fn with_timeout_from(self, now: Instant, timeout: Duration) -> Self {
        match now.checked_add(timeout) {
            Some(deadline) => self.with_deadline(deadline),
            // Beyond what the clock can say is no deadline.
            None => self,
        }
    }

    /// Sets a deadline; an earlier one stays.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(self.deadline.map_or(deadline, |earlier| earlier.min(deadline)));
        self
    }

    /// Replaces the metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Headers) -> Self {
        self.metadata = (!metadata.is_empty()).then(|| Arc::new(metadata));
        self
    }

    /// Adds to the metadata, in place of what the name said before.
    #[must_use]
    pub fn with_header(self, name: impl Into<Text>, value: impl Into<Text>) -> Self {
        let mut metadata = self.metadata().clone();
        metadata.insert(name, value);
        self.with_metadata(metadata)
    }

    /// Says who is at the other end.
    #[must_use]
    pub fn with_peer(mut self, peer: Address) -> Self {
        self.peer = Some(peer);
        self
    }

    /// A context that ends with this one, and can end before it.
    #[must_use]
    pub fn child(&self) -> Self {
        Context {
            deadline: self.deadline,
            metadata: self.metadata.clone(),
            cancellation: self.cancellation.child(),
            peer: self.peer.clone(),
        }
    }

    /// Of a context that is not needed any more, a new child of `parent`, whose child it was; `None` when somebody may still
    /// have it, or watched it.
    pub(crate) fn renewed(mut self, parent: &Context) -> Option<Self> {
        self.cancellation.is_untouched().then(|| Context {
            deadline: parent.deadline,
            metadata: parent.metadata.clone(),
            ..self
        })
    }

    /// When the caller stops waiting.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How long the caller still waits; zero when the deadline has passed, `None` without a deadline.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// What the caller sent along: names and values, case-sensitive.
    pub fn metadata(&self) -> &Headers {
        self.metadata.as_deref().unwrap_or(&NO_METADATA)
    }

    /// Who is at the other end, as its transport names it.
    pub fn peer(&self) -> Option<&Address> {
        self.peer.as_ref()
    }

    /// Whether the caller is gone.
    pub fn is_cancelled(&self) -> bool {
        self.cancellation.is_cancelled()
    }

    /// What waits until somebody else cancels it, if anybody can; for its owner, who holds the only reference.
    pub(crate) fn watch(&self) -> Option<BoxFuture<'_, ()>> {
        let watched = self.cancellation.is_shared();
        watched.then(|| Box::pin(self.cancelled()) as BoxFuture<'_, ()>)
    }

    /// Waits until somebody else cancels it; for its owner, who holds the only reference.
    pub(crate) async fn cancelled_by_others(&self) {
        match self.cancellation.is_shared() {
            true => self.cancelled().await,
            false => std::future::pending().await,
        }
    }

    /// Waits until the caller is gone.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn cancelled(&self) {
        self.cancellation.cancelled().await;
    }

    /// Ends this context and its children.
    pub fn cancel(&self) {
        self.cancellation.cancel();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_earlier_deadline_stays() {
        let context = Context::new()
            .with_timeout(Duration::from_secs(1))
            .with_timeout(Duration::from_secs(5));
        assert_eq!(context.remaining(), Some(Duration::from_secs(1)));
    }

    #[test]
    fn a_child_ends_with_its_parent_and_not_the_other_way() {
        let parent = Context::new();
        let (first, second) = (parent.child(), parent.child());
        first.cancel();
        assert!(!parent.is_cancelled() && !second.is_cancelled());
        parent.cancel();
        assert!(second.is_cancelled());
    }

    #[test]
    fn a_context_is_renewed_when_nobody_else_has_it() {
        let parent = Context::new();
        let child = parent.child().with_timeout(Duration::from_secs(1));
        let clone = child.clone();
        assert!(child.renewed(&parent).is_none());
        let renewed = clone.renewed(&parent).unwrap();
        assert!(renewed.deadline().is_none());
        parent.cancel();
        assert!(renewed.is_cancelled());
    }

    #[test]
    fn what_was_cancelled_or_watched_is_not_renewed() {
        let parent = Context::new();
        let (cancelled, watched) = (parent.child(), parent.child());
        cancelled.cancel();
        assert!(cancelled.renewed(&parent).is_none());
        assert!(watched.cancelled().now_or_never().is_none());
        assert!(watched.renewed(&parent).is_none());
    }

    #[test]
    fn a_clone_is_cancelled_with_its_original_and_the_other_way() {
        for cancelled_first in [true, false] {
            let original = Context::new();
            let clone = original.clone();
            if cancelled_first { &original } else { &clone }.cancel();
            assert!(original.is_cancelled() && clone.is_cancelled());
            assert!(clone.child().is_cancelled());
        }
    }

    #[tokio::test]
    async fn a_grandchild_that_nobody_watched_ends_with_its_ancestor() {
        let ancestor = Context::new();
        let grandchild = ancestor.child().child();
        ancestor.cancel();
        assert!(grandchild.is_cancelled());
        grandchild.cancelled().await;
    }

    #[tokio::test]
    async fn a_context_of_ones_own_is_cancelled_by_nobody_else() {
        let own = Context::new();
        assert!(own.cancelled_by_others().now_or_never().is_none());
        let clone = own.clone();
        clone.cancel();
        own.cancelled_by_others().await;
        own.child().cancelled_by_others().await;
    }
}
