//! The service whose traffic was captured, made with ours.

use bytes::Bytes;
use futures::StreamExt as _;
use micro::{Code, Context, Json, PluginChoice, Proto, Router, Service, Status, Streaming};
use micro_conformance::nats_server::NatsServer;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Req {
    pub(crate) name: String,
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
pub(crate) struct Rsp {
    pub(crate) msg: String,
}

/// How the two generations of the captured service differ.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) echo: &'static str,
    pub(crate) fails_at: &'static str,
    pub(crate) failure: (Code, &'static str),
}

pub(crate) const V6: Manner = Manner {
    echo: "s:",
    fails_at: "err",
    failure: (Code::InvalidArgument, "stream bad"),
};

pub(crate) const V2: Manner = Manner {
    echo: "got ",
    fails_at: "fail",
    failure: (Code::Internal, "stream failed"),
};

/// Serves `greeter` on NATS.
pub(crate) async fn greeter(server: &NatsServer, manner: Manner) -> Service {
    let nats = || PluginChoice::new("nats").with_addresses(&server.url());
    Service::builder("greeter")
        .transport_plugin(nats())
        .broker_plugin(nats())
        .registry_plugin(nats())
        .serve(router(manner))
        .start()
        .await
        .unwrap()
}

fn router(manner: Manner) -> Router {
    Router::new()
        .unary("Greeter.Hello", hello)
        .unary("Greeter.Fail", async |_: Context, Json(req): Json<Req>| {
            Err::<Json<Rsp>, _>(Status::invalid_argument(format!("bad name: {}", req.name)))
        })
        .unary("Greeter.Plain", async |_: Context, _: Json<Req>| {
            Err::<Json<Rsp>, _>(Status::unknown("plain failure"))
        })
        .unary("Greeter.Panic", panics)
        .unary("Greeter.Pb", async |_: Context, Proto(name): Proto<String>| {
            Ok(Proto(format!("Hello {name}")))
        })
        .unary("Greeter.Raw", raw)
        .bidi_stream(
            "Greeter.Stream",
            move |_: Context, lines: Streaming<Json<Req>>| async move { Ok(stream(manner, lines)) },
        )
}

async fn hello(_: Context, Json(req): Json<Req>) -> Result<Json<Rsp>, Status> {
    let msg = format!("Hello {}", req.name);
    Ok(Json(Rsp { msg }))
}

async fn panics(_: Context, _: Json<Req>) -> Result<Json<Rsp>, Status> {
    panic!("as captured")
}

async fn raw(_: Context, body: Bytes) -> Result<Bytes, Status> {
    match &body[..] {
        b"fail" => Err(Status::internal("raw failure")),
        body => Ok([b"echo:", body].concat().into()),
    }
}

fn stream(manner: Manner, lines: Streaming<Json<Req>>) -> Streaming<Json<Rsp>> {
    let ended = |line: &Result<Json<Req>, Status>| matches!(line, Ok(Json(req)) if req.name == "end");
    let answers = lines
        .take_while(move |line| std::future::ready(!ended(line)))
        .map(move |line| {
            let Json(Req { name }) = line?;
            if name == manner.fails_at {
                let (code, message) = manner.failure;
                return Err(Status::new(code, message));
            }
            let msg = format!("{}{name}", manner.echo);
            Ok(Json(Rsp { msg }))
        });
    Streaming::new(answers)
}
