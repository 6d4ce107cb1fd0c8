//! What is sent to a collector, read by OpenTelemetry's own definitions.

use std::collections::BTreeSet;

use micro::prelude::*;
use micro_otel::Telemetry;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tracing_subscriber::layer::SubscriberExt;

use crate::exported::subscribe;
use crate::world::World;

/// One export: where it was sent, and what it says.
type Export = (String, Vec<u8>);

/// Takes exports, as long as anybody listens.
async fn collect(listener: TcpListener, exports: mpsc::Sender<Export>) {
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(serve(socket, exports.clone()));
    }
}

async fn serve(socket: TcpStream, exports: mpsc::Sender<Export>) -> Option<()> {
    let mut socket = BufReader::new(socket);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            socket.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
            match line.trim() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let path = lines[0].split(' ').nth(1)?.to_owned();
        let length = lines.iter().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("Content-Length")
                .then(|| value.parse().ok())?
        });
        let mut body = vec![0; length?];
        socket.read_exact(&mut body).await.ok()?;
        exports.send((path, body)).await.ok()?;
        socket
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            .await
            .ok()?;
    }
}

fn service_name(resource: Option<&Resource>) -> Option<String> {
    let named = resource?
        .attributes
        .iter()
        .find(|attribute| attribute.key == "service.name")?;
    match named.value.as_ref()?.value.as_ref()? {
        Value::StringValue(name) => Some(name.clone()),
        _ => None,
    }
}

/// Spans and metrics arrive, under the name of the service, at the latest when the program ends.
pub(crate) async fn a_collector_gets_spans_and_metrics(world: &World) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, mut exports) = mpsc::channel(64);
    let collector = tokio::spawn(collect(listener, sender));
    let telemetry = Telemetry::to(&endpoint, "greeter").unwrap();
    {
        let _subscribed = subscribe(tracing_subscriber::registry().with(telemetry.layer()));
        let recorder = telemetry.recorder();
        let _recorded = ::metrics::set_default_local_recorder(&recorder);
        let hello = |_: Context, _: Json<()>| async { Ok(Json(())) };
        let service = world
            .service("greeter")
            .serve(Router::new().unary("Greeter.Hello", hello));
        let service = service.start().await.unwrap();
        let call = service
            .client()
            .unary::<_, Json<()>>("greeter", "Greeter.Hello", Json(()));
        call.await.unwrap();
        service.shutdown().await.unwrap();
    }
    let sent = tokio::task::spawn_blocking(move || telemetry.shutdown());
    sent.await.unwrap().unwrap();
    collector.abort();
    let (mut spans, mut metrics) = (BTreeSet::new(), BTreeSet::new());
    while let Ok((path, body)) = exports.try_recv() {
        match path.as_str() {
            "/v1/traces" => {
                for of in ExportTraceServiceRequest::decode(&body[..])
                    .unwrap()
                    .resource_spans
                {
                    assert_eq!(service_name(of.resource.as_ref()).as_deref(), Some("greeter"));
                    let all = of.scope_spans.into_iter().flat_map(|scope| scope.spans);
                    spans.extend(all.map(|span| span.name));
                }
            }
            "/v1/metrics" => {
                for of in ExportMetricsServiceRequest::decode(&body[..])
                    .unwrap()
                    .resource_metrics
                {
                    assert_eq!(service_name(of.resource.as_ref()).as_deref(), Some("greeter"));
                    let all = of.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
                    metrics.extend(all.map(|metric| metric.name));
                }
            }
            path => panic!("an export to {path}"),
        }
    }
    assert!(spans.contains("greeter/Greeter.Hello"), "{spans:?}");
    assert!(metrics.contains("rpc.server.call.duration"), "{metrics:?}");
}

/// Where there is no collector, whatever was to be sent is dropped, the end says so, and nothing hangs.
pub(crate) async fn without_a_collector_nothing_hangs(world: &World) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let telemetry = Telemetry::to(&endpoint, "greeter").unwrap();
    {
        let _subscribed = subscribe(tracing_subscriber::registry().with(telemetry.layer()));
        let service = world.caller().await;
        service.publish_to("nowhere", &Json(())).await.unwrap();
    }
    let ended = tokio::task::spawn_blocking(move || telemetry.shutdown());
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), ended).await;
    let error = ended.expect("an end").unwrap().unwrap_err();
    assert_eq!(error.kind(), micro::ErrorKind::Unavailable);
    let named = format!("{endpoint}/v1/traces");
    assert!(error.to_string().contains(&named), "{error}");
}
