use std::ffi::OsStr;
use std::path::Path;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::locate::locate;
use super::*;

/// A connection of no client in particular, and what the server says of itself at its start.
async fn connect(server: &NatsServer) -> (BufReader<TcpStream>, Value) {
    let mut stream = BufReader::new(TcpStream::connect(server.address()).await.unwrap());
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    let info = line.strip_prefix("INFO ").unwrap();
    (stream, serde_json::from_str(info).unwrap())
}

/// Sends PING, and waits for PONG up to a time.
async fn answers_within(stream: &mut BufReader<TcpStream>, limit: Duration) -> bool {
    stream.write_all(b"PING\r\n").await.unwrap();
    let mut line = String::new();
    timeout(limit, stream.read_line(&mut line))
        .await
        .is_ok_and(|read| read.unwrap() > 0 && line == "PONG\r\n")
}

async fn ends(mut stream: BufReader<TcpStream>) -> bool {
    let mut rest = Vec::new();
    timeout(LIMIT, stream.read_to_end(&mut rest)).await.is_ok()
}

fn is_alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}/exe")).exists()
}

#[tokio::test]
async fn a_started_server_accepts_at_once() {
    let server = NatsServer::start().await;
    let (mut stream, info) = connect(&server).await;
    assert_eq!(server.url(), format!("nats://127.0.0.1:{}", info["port"]));
    stream
        .write_all(b"CONNECT {\"verbose\":false}\r\n")
        .await
        .unwrap();
    assert!(answers_within(&mut stream, LIMIT).await);
}

#[tokio::test]
async fn two_servers_share_nothing() {
    let (one, other) = tokio::join!(NatsServer::start(), NatsServer::start());
    assert_ne!(one.address(), other.address());
    assert_ne!(one.folder.path(), other.folder.path());
}

#[tokio::test]
async fn a_restart_keeps_the_ports_and_ends_connections() {
    let mut server = NatsServer::start().await;
    let (url, ports) = (server.url(), server.ports);
    let before = server.monitor("/varz").await;
    let (stream, _) = connect(&server).await;
    server.restart().await;
    assert!(ends(stream).await);
    let after = server.monitor("/varz").await;
    assert_eq!((server.url(), server.ports), (url, ports));
    assert_ne!(before["server_id"], after["server_id"]);
}

#[tokio::test]
async fn a_kill_ends_connections_and_refuses_new_ones_until_a_restart() {
    let mut server = NatsServer::start().await;
    let (stream, _) = connect(&server).await;
    let pid = server.pid().unwrap();
    server.kill().await;
    assert!(ends(stream).await);
    assert!(!is_alive(pid) && server.pid().is_none());
    assert!(TcpStream::connect(server.address()).await.is_err());
    server.restart().await;
    connect(&server).await;
}

#[tokio::test]
async fn a_frozen_server_is_silent_until_it_thaws() {
    let mut server = NatsServer::start().await;
    let (mut stream, _) = connect(&server).await;
    stream
        .write_all(b"CONNECT {\"verbose\":false}\r\n")
        .await
        .unwrap();
    assert!(answers_within(&mut stream, LIMIT).await);
    server.freeze().await;
    assert!(!answers_within(&mut stream, Duration::from_millis(100)).await);
    server.thaw().await;
    assert!(answers_within(&mut stream, LIMIT).await);
    server.freeze().await;
    server.stop().await;
    assert!(ends(stream).await);
}

#[tokio::test]
async fn the_monitor_counts_connections() {
    let server = NatsServer::start().await;
    assert_eq!(server.monitor("/connz").await["num_connections"], 0);
    let (mut stream, _) = connect(&server).await;
    stream
        .write_all(b"CONNECT {\"verbose\":false}\r\nSUB a.b 1\r\n")
        .await
        .unwrap();
    assert!(answers_within(&mut stream, LIMIT).await);
    let page = server.monitor("/connz?subs=1").await;
    assert_eq!(page["connections"][0]["subscriptions_list"][0], "a.b");
}

#[tokio::test]
#[should_panic(expected = "404")]
async fn an_unknown_page_fails_the_test() {
    NatsServer::start().await.monitor("/nowhere").await;
}

#[tokio::test]
async fn configuration_port_and_jetstream_are_used() {
    let free = NatsServer::start().await.ports.client;
    let config = "max_payload: 1KB\nauthorization { user: ada, password: secret }";
    let server = NatsServer::builder()
        .config(config)
        .port(free)
        .jetstream(true)
        .start()
        .await;
    let (_, info) = connect(&server).await;
    assert_eq!(server.address(), format!("127.0.0.1:{free}"));
    assert_eq!(
        (&info["max_payload"], &info["auth_required"]),
        (&1024.into(), &true.into())
    );
    let store = server.monitor("/jsz").await["config"]["store_dir"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(Path::new(&store).starts_with(server.folder.path()), "{store}");
}

#[tokio::test]
#[should_panic(expected = "nats-server did not start")]
async fn a_broken_configuration_fails_the_test_and_shows_why() {
    NatsServer::builder().config("no_such_option: {").start().await;
}

#[test]
fn dropping_it_leaves_nothing_behind_even_outside_a_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(NatsServer::start());
    let (pid, folder) = (server.pid().unwrap(), server.folder.path().to_owned());
    drop(runtime);
    drop(server);
    assert!(!folder.exists());
    let start = std::time::Instant::now();
    while is_alive(pid) {
        assert!(start.elapsed() < LIMIT);
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_cluster_survives_the_loss_of_its_seed() {
    let mut cluster = NatsCluster::start(3).await;
    assert_eq!(cluster.url().split(',').count(), 3);
    cluster.server(0).kill().await;
    cluster.until_joined().await;
    cluster.server(0).restart().await;
    cluster.until_joined().await;
    assert_eq!(cluster.servers()[2].peers().await, 2);
}

#[tokio::test]
async fn a_cluster_may_keep_its_members_to_itself() {
    let mut told = Vec::new();
    for builder in [NatsCluster::builder(2), NatsCluster::builder(2).unadvertised()] {
        let cluster = builder.start().await;
        let (_, info) = connect(&cluster.servers()[0]).await;
        told.push(info["connect_urls"].as_array().map_or(0, Vec::len));
    }
    assert_eq!(told, [2, 0]);
}

#[tokio::test]
async fn a_lame_duck_sends_its_clients_away_and_ends() {
    let config = "lame_duck_duration: \"30s\"\nlame_duck_grace_period: \"1s\"";
    let mut server = NatsServer::builder().config(config).start().await;
    let (stream, _) = connect(&server).await;
    let pid = server.pid().unwrap();
    server.lame_duck().await;
    assert!(!is_alive(pid) && ends(stream).await);
    server.restart().await;
    connect(&server).await;
}

#[test]
fn without_a_server_the_message_says_how_to_get_one() {
    let reason = locate(None, OsStr::new("/nowhere:/dev")).unwrap_err();
    assert!(
        reason.contains("cargo xtask test") && reason.contains("NATS_SERVER"),
        "{reason}"
    );
    let reason = locate(Some("/nowhere/nats-server".into()), OsStr::new("")).unwrap_err();
    assert!(
        reason.contains("NATS_SERVER names /nowhere/nats-server"),
        "{reason}"
    );
    assert_eq!(
        locate(Some("/bin/sh".into()), OsStr::new("")).unwrap(),
        Path::new("/bin/sh")
    );
}
