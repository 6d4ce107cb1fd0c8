//! A TCP proxy in front of a server, whose weather changes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

/// What happens to the bytes of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Flow {
    #[default]
    Passes,
    /// Nothing is read, so that in the end nothing can be written either.
    Stalls,
    /// Each piece is held back for so long.
    Late(Duration),
    /// All is read, and thrown away. A connection that lost something is cut once its bytes pass again.
    Vanishes,
}

/// The weather of all connections of one proxy, those to come too.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Weather {
    /// From the client to the server.
    pub(crate) up: Flow,
    pub(crate) down: Flow,
    /// Connections made under a lower number are cut.
    cuts: u64,
}

/// Listens on a port of its own for one server. Dropping it cuts all connections.
pub(crate) struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    open: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// In front of the server at this address.
    pub(crate) async fn start(server: String) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (weather, seen) = watch::channel(Weather::default());
        let open = Arc::new(AtomicUsize::new(0));
        let accepting = tokio::spawn(accept(listener, server, seen, open.clone()));
        Ok(Proxy {
            address,
            weather,
            open,
            accepting,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Whether anybody is connected through it.
    pub(crate) fn is_used(&self) -> bool {
        self.open.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn set(&self, up: Flow, down: Flow) {
        self.weather
            .send_modify(|weather| (weather.up, weather.down) = (up, down));
    }

    pub(crate) fn cut(&self) {
        self.weather.send_modify(|weather| weather.cuts += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    server: String,
    weather: watch::Receiver<Weather>,
    open: Arc<AtomicUsize>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((client, _)) = accepted {
                connections.spawn(connection(client, server.clone(), weather.clone(), Open::new(&open)));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Until either end closes it, or it is cut.
async fn connection(client: TcpStream, server: String, mut weather: watch::Receiver<Weather>, _open: Open) {
    // Whoever dials a server that is gone is cut at once, as one would be without a proxy.
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    let (client, server) = (client.into_split(), server.into_split());
    let cuts = weather.borrow().cuts;
    let up = carry(client.0, server.1, weather.clone(), |weather| weather.up);
    let down = carry(server.0, client.1, weather.clone(), |weather| weather.down);
    tokio::select! {
        () = up => {}
        () = down => {}
        _ = weather.wait_for(|now| now.cuts > cuts) => {}
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
    flow: fn(&Weather) -> Flow,
) {
    let mut buffer = vec![0; 16 * 1024];
    let mut lossy = false;
    loop {
        let now = flow(&weather.borrow_and_update());
        if lossy && now == Flow::Passes {
            return;
        }
        let read = async {
            match now {
                Flow::Stalls => std::future::pending().await,
                _ => from.read(&mut buffer).await,
            }
        };
        let read = tokio::select! {
            biased;
            _ = weather.changed() => continue,
            read = read => read,
        };
        let Ok(length @ 1..) = read else { return };
        match now {
            Flow::Vanishes => lossy = true,
            Flow::Late(delay) => sleep(delay).await,
            _ => {}
        }
        if !lossy && to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// One connection, counted.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Open(count.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
