//! A transport with the network's faults in front of it.

mod listening;
mod socket;

use std::sync::Arc;

use async_trait::async_trait;
use micro_core::transport::TransportCapabilities;
use micro_core::{
    Address, DialOptions, Error, ErrorKind, ListenOptions, Listener, Result, Socket, Transport,
};

use super::life::Life;
use super::link::Side;

/// A [`Transport`] of one host.
#[derive(Debug)]
pub(super) struct TestTransport {
    life: Arc<Life>,
    below: Arc<dyn Transport>,
}

impl TestTransport {
    pub(super) fn new(life: Arc<Life>, below: Arc<dyn Transport>) -> Self {
        TestTransport { life, below }
    }
}

#[async_trait]
impl Transport for TestTransport {
    fn name(&self) -> &'static str {
        self.below.name()
    }

    fn capabilities(&self) -> TransportCapabilities {
        self.below.capabilities()
    }

    async fn listen(&self, options: ListenOptions) -> Result<Listener> {
        self.life
            .check()
            .map_err(|error| error.with_operation("listen"))?;
        let listener = self.below.listen(options).await?;
        self.life.network.listen(&self.life.host, listener.address());
        Ok(listening::listener(&self.life, listener))
    }

    async fn dial(&self, address: &Address, options: DialOptions) -> Result<Socket> {
        let fail = |error: Error| error.with_operation("dial").with_context("address", address);
        self.life.check().map_err(fail)?;
        let there = self.life.network.listener(address);
        self.reach(there.as_deref()).map_err(fail)?;
        let socket = self.below.dial(address, options).await?;
        let link = self.life.network.link(socket.local());
        self.life.join(&link, Side::Dialler);
        link.name(Side::Listener, there.clone());
        // A partition that came in between has not seen this socket.
        self.reach(there.as_deref()).map_err(fail)?;
        Ok(socket::wrap(&self.life, link, Side::Dialler, socket))
    }
}

impl TestTransport {
    fn reach(&self, there: Option<&str>) -> Result<()> {
        match self.life.network.reaches(Some(&self.life.host), there) {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Unavailable,
                "a partition parts the two hosts",
            )),
        }
    }
}
