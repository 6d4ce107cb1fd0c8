//! What hosts are called.

use std::sync::Arc;

/// The name of a host.
pub(super) type Name = Arc<str>;
