//! Unary calls in memory. The peer goes over NATS, and is there for scale only.

use std::sync::Arc;

use anyhow::Result;
use micro_core::memory::{MemoryRegistry, MemoryTransport};

use super::{Case, opened_by, request};
use crate::rounds::Contest;
use crate::stack::{self, Backends};

pub(crate) fn cases() -> Vec<Case> {
    [1, 64, 256].map(case).into()
}

fn case(callers: usize) -> Case {
    Case {
        id: format!("unary_memory_{callers}"),
        title: "unary typed JSON, 128 B, on memory",
        callers,
        unit: "calls/s",
        peer_name: "async-nats request() and serde_json, over NATS, for scale",
        to_reach: None,
        open: opened_by(open),
    }
}

async fn open(url: String, callers: usize) -> Result<Contest> {
    let memory = Backends {
        transport: Arc::new(MemoryTransport::new()),
        registry: Arc::new(MemoryRegistry::new()),
    };
    Ok(Contest {
        ours: vec![stack::setup("in memory", memory.clone(), memory, callers).await?],
        peer: request::setups(&url, callers).await?,
    })
}
