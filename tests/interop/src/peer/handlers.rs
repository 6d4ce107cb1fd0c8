//! The same unary endpoints as the Go peers serve.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use micro::{Client, Code, Context, Json, Proto, Router, Status};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) struct HelloRequest {
    #[serde(default)]
    pub(super) name: String,
}

#[derive(Serialize, Deserialize)]
struct HelloReply {
    msg: String,
}

#[derive(Serialize, Deserialize)]
struct FailRequest {
    #[serde(default)]
    id: String,
    code: i32,
    detail: String,
}

#[derive(Serialize, Deserialize)]
struct SleepRequest {
    #[serde(default)]
    ms: u64,
    #[serde(default)]
    key: String,
}

#[derive(Serialize, Deserialize)]
struct Count {
    runs: u32,
}

#[derive(Serialize, Deserialize)]
struct MetaReply {
    metadata: BTreeMap<String, String>,
    remaining_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct RelayRequest {
    service: String,
    code: i32,
    detail: String,
    id: String,
}

#[derive(Serialize, Deserialize)]
struct RelayedFail {
    code: i32,
    detail: String,
    id: String,
}

pub(super) fn router(client: Client) -> Router {
    let runs = Arc::new(Runs::default());
    let counted = runs.clone();
    Router::new()
        .unary("Greeter.Hello", hello)
        .describe("Greeter.Hello", "description", "Hello greets by name.")
        .describe("Greeter.Hello", "example", r#"{"name":"John"}"#)
        .unary("Greeter.Fail", fail)
        .unary("Greeter.Plain", plain)
        .unary("Greeter.Panic", panics)
        .unary(
            "Greeter.Sleep",
            move |_: Context, Json(request): Json<SleepRequest>| runs.clone().sleep(request),
        )
        .unary(
            "Greeter.Runs",
            move |_: Context, Json(request): Json<SleepRequest>| {
                let runs = counted.of(&request.key);
                async move { Ok(Json(Count { runs })) }
            },
        )
        .unary("Greeter.Meta", meta)
        .unary("Raw.Echo", async |_: Context, body: Bytes| Ok::<_, Status>(body))
        .unary("Greeter.Big", big)
        .unary("Pb.Hello", pb_hello)
        .unary(
            "Relay.Fail",
            move |context: Context, Json(request): Json<RelayRequest>| {
                relay(client.clone(), context, request)
            },
        )
}

async fn hello(_: Context, Json(request): Json<HelloRequest>) -> Result<Json<HelloReply>, Status> {
    let msg = format!("Hello {}", request.name);
    Ok(Json(HelloReply { msg }))
}

async fn fail(_: Context, Json(request): Json<FailRequest>) -> Result<Json<HelloReply>, Status> {
    let code = match request.code {
        400 => Code::InvalidArgument,
        404 => Code::NotFound,
        409 => Code::AlreadyExists,
        503 => Code::Unavailable,
        _ => Code::Unknown,
    };
    Err(Status::new(code, request.detail))
}

async fn plain(_: Context, Json(request): Json<HelloRequest>) -> Result<Json<HelloReply>, Status> {
    Err(Status::unknown(format!("plain {}", request.name)))
}

async fn panics(_: Context, Json(request): Json<HelloRequest>) -> Result<Json<HelloReply>, Status> {
    if request.name.is_empty() {
        return Ok(Json(HelloReply { msg: "calm".into() }));
    }
    // Asked for: it shows that the caller is answered.
    #[allow(clippy::panic)]
    {
        panic!("as asked")
    }
}

#[derive(Default)]
struct Runs(Mutex<HashMap<String, u32>>);

impl Runs {
    async fn sleep(self: Arc<Self>, request: SleepRequest) -> Result<Json<HelloReply>, Status> {
        *self.0.lock().entry(request.key).or_default() += 1;
        tokio::time::sleep(Duration::from_millis(request.ms)).await;
        Ok(Json(HelloReply { msg: "slept".into() }))
    }

    fn of(&self, key: &str) -> u32 {
        self.0.lock().get(key).copied().unwrap_or_default()
    }
}

async fn meta(context: Context, Json(_): Json<HelloRequest>) -> Result<Json<MetaReply>, Status> {
    let metadata = context.metadata().iter();
    Ok(Json(MetaReply {
        metadata: metadata
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        remaining_ms: context.remaining().map_or(0, |left| left.as_millis() as u64),
    }))
}

async fn big(_: Context, Json(request): Json<Count>) -> Result<Json<HelloReply>, Status> {
    let msg = "x".repeat(request.runs as usize);
    Ok(Json(HelloReply { msg }))
}

async fn pb_hello(_: Context, Proto(name): Proto<String>) -> Result<Proto<String>, Status> {
    Ok(Proto(format!("Hello {name}")))
}

/// Calls another service, and says again what that answered.
async fn relay(client: Client, context: Context, request: RelayRequest) -> Result<Json<HelloReply>, Status> {
    let RelayRequest {
        service,
        code,
        detail,
        id,
    } = request;
    let fail = Json(RelayedFail { code, detail, id });
    client
        .unary(service, "Greeter.Fail", fail)
        .context(&context)
        .await
}
