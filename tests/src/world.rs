//! Where a suite gets what it tests.

use std::sync::Arc;

use async_trait::async_trait;

use crate::faults::Faults;

/// Opens instances of one contract, of which each sees the others, as processes do that use the same servers.
///
/// Each clause gets a world of its own and nothing else happens in it. It lives as long as the clause, so it is
/// where a server that the backend needs is kept.
///
/// `C` is `dyn Transport`, `dyn Broker` or `dyn Registry`; one type may be the world of all three. Any closure that
/// answers with a future of an `Arc<C>` is a world, too.
#[async_trait]
pub trait World<C: ?Sized>: Send + Sync + 'static {
    /// Opens one more instance, which shares nothing with the others that two processes would not share.
    ///
    /// # Panics
    /// When it cannot be opened: the clause fails.
    async fn open(&self) -> Arc<C>;

    /// What can be made to go wrong here. Without, the clauses that need it say that they were skipped.
    fn faults(&self) -> Option<&dyn Faults> {
        None
    }
}

#[async_trait]
impl<C, F, Fut> World<C> for F
where
    C: ?Sized,
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Arc<C>> + Send,
{
    async fn open(&self) -> Arc<C> {
        self().await
    }
}
