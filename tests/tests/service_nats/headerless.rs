//! A server whose headers are turned off, and what is left without them.

use micro_conformance::nats_server::NatsServer;
use micro_core::ErrorKind;
use micro_core::plugin::Security;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use crate::secured::refuses;
use crate::{LIMIT, caller, hearing, until_answered, until_heard};

async fn server() -> NatsServer {
    NatsServer::builder()
        .config("no_header_support: true")
        .start()
        .await
}

#[tokio::test]
async fn a_server_without_headers_is_refused_with_the_reason() {
    let server = server().await;
    let address = server.address();
    let words = [&*address, "headers", "no_header_support"];
    refuses(&address, &Security::default(), ErrorKind::Unsupported, &words).await;
}

/// Stands before a server, and takes back what its clients say of headers.
async fn modest(server: &NatsServer) -> (String, AbortOnDropHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = server.address();
    let accepting = async move {
        let mut clients = tokio::task::JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&server).await.unwrap();
            clients.spawn(pass_on(client, server));
        }
    };
    (address, AbortOnDropHandle::new(tokio::spawn(accepting)))
}

async fn pass_on(client: TcpStream, server: TcpStream) {
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let out = async move {
        let mut from_client = BufReader::new(from_client);
        let mut connect = String::new();
        from_client.read_line(&mut connect).await?;
        assert!(connect.starts_with("CONNECT "), "{connect}");
        let connect = connect.replace("\"headers\":true", "\"headers\":false");
        let connect = connect.replace("\"no_responders\":true", "\"no_responders\":false");
        to_server.write_all(connect.as_bytes()).await?;
        let waiting = from_client.buffer().to_vec();
        to_server.write_all(&waiting).await?;
        let mut rest = from_client.into_inner();
        copy(&mut rest, &mut to_server).await
    };
    let back = async move { copy(&mut from_server, &mut to_client).await };
    let _ = tokio::join!(out, back);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_ours_needs_headers_to_be_found_called_and_heard() {
    let server = server().await;
    let (address, _standing) = modest(&server).await;
    let (_service, mut heard) = hearing(&address).await;
    let caller = caller(&address.replace("127.0.0.1", "localhost")).await;
    timeout(LIMIT, until_answered(caller.client()))
        .await
        .expect("an answer");
    until_heard(&caller, &mut heard).await;
}
