//! A backend of one's own, through which CONTRIBUTING.md walks: a transport over byte streams.
//!
//! The streams are pipes within the process. Over TCP, only `dial` and `listen` would differ.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures::{TryStreamExt, stream};
use micro_core::transport::TransportCapabilities;
use micro_core::{
    Address, DialOptions, Error, ErrorKind, ListenOptions, Listener, Metadata, PluginConfig, Plugins, Result,
    Socket, Transport, name,
};
use parking_lot::Mutex;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio_util::codec::FramedRead;

mod frames;

use frames::{Failure, Frames, MAX_MESSAGE, Outgoing};

/// The bytes that wait in one direction before their writer does.
const PIPE: usize = 64 * 1024;

// 1. A struct that is shared by its clones. Constructed means working: what can fail, fails in a constructor.
#[derive(Clone, Debug, Default)]
pub(crate) struct PipeTransport {
    doors: Arc<Mutex<HashMap<Address, mpsc::Sender<Socket>>>>,
    count: Arc<AtomicU64>,
}

impl PipeTransport {
    fn unique_address(&self) -> Result<Address> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        Address::new(format!("pipe.{number}"))
    }
}

// 2. The contract: a name for flags, what it can do, and the two verbs.
#[async_trait]
impl Transport for PipeTransport {
    fn name(&self) -> &'static str {
        "pipe"
    }

    fn capabilities(&self) -> TransportCapabilities {
        TransportCapabilities::default()
            .with_flow_control()
            .with_exclusive_addresses()
            .with_max_message_size(MAX_MESSAGE)
    }

    async fn listen(&self, options: ListenOptions) -> Result<Listener> {
        let address = match options.address {
            Some(address) => address,
            None => self.unique_address()?,
        };
        name::check_topic(address.as_str()).map_err(|error| error.with_operation("listen"))?;
        let (door, dialled) = mpsc::channel(options.backlog.max(1));
        let mut doors = self.doors.lock();
        // A door is open as long as its listener lives: so dropping the listener frees the address.
        doors.retain(|_, door| !door.is_closed());
        if doors.contains_key(&address) {
            return Err(Error::new(ErrorKind::AlreadyExists, "the address is taken")
                .with_operation("listen")
                .with_context("address", &address));
        }
        doors.insert(address.clone(), door);
        let incoming = stream::unfold(dialled, async |mut dialled| {
            let socket = dialled.recv().await?;
            Some((Ok(socket), dialled))
        });
        Ok(Listener::new(address, Metadata::new(), incoming, async {
            Ok(())
        }))
    }

    async fn dial(&self, address: &Address, _options: DialOptions) -> Result<Socket> {
        let door = self.doors.lock().get(address).cloned();
        let local = self.unique_address()?;
        let (near_out, far_in) = duplex(PIPE);
        let (far_out, near_in) = duplex(PIPE);
        let far = socket(address.clone(), local.clone(), far_out, far_in);
        match door.map(|door| door.try_send(far)) {
            Some(Ok(())) => Ok(socket(local, address.clone(), near_out, near_in)),
            _ => Err(Error::new(ErrorKind::Unavailable, "nobody accepts there")
                .with_operation("dial")
                .with_context("address", address)),
        }
    }
}

// 3. A handle is the house's own struct around a sink and a stream, each of which releases what it holds when dropped.
fn socket(local: Address, remote: Address, out: DuplexStream, incoming: DuplexStream) -> Socket {
    let incoming = FramedRead::new(incoming, Frames::new());
    let incoming = incoming.map_err(|Failure(error)| error.with_operation("recv"));
    Socket::new(local, remote, Outgoing::new(out), incoming)
}

// 4. A name in the table of plugins, for `--transport=pipe`.
pub(crate) fn register(plugins: &mut Plugins) {
    let transport = PipeTransport::default();
    plugins.transport.register("pipe", move |_config: PluginConfig| {
        std::future::ready(Ok(Arc::new(transport.clone()) as _))
    });
}

// 5. All the clauses, in one line. Each gets a world of its own; an instance of it is a clone.
micro_conformance::transport_suite!(transport, {
    let transport = PipeTransport::default();
    move || std::future::ready(Arc::new(transport.clone()) as Arc<dyn Transport>)
});

#[tokio::test]
async fn a_flag_finds_it() {
    let mut plugins = Plugins::new();
    register(&mut plugins);
    let transport = plugins
        .transport
        .open("pipe", PluginConfig::default())
        .await
        .unwrap();
    assert_eq!(transport.name(), "pipe");
}

#[test]
fn contributing_quotes_this_file() {
    let (text, source) = (include_str!("../../../CONTRIBUTING.md"), include_str!("mod.rs"));
    let quotes = text
        .split("```rust\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    let quotes = quotes.collect::<Vec<_>>();
    assert_eq!(quotes.len(), 5);
    for quote in quotes {
        assert!(source.contains(quote), "not in the file:\n{quote}");
    }
}
