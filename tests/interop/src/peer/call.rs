//! Unary calls: typed where the kind of body allows it, untyped for raw bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use micro::{Json, Payload, Proto, Request, Status};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Peer;
use super::body::{self, Failure, Kind};
use super::drive::Drive;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CallArgs {
    pub(super) service: String,
    pub(super) endpoint: String,
    pub(super) content_type: String,
    pub(super) kind: Kind,
    pub(super) body: Value,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) address: String,
    pub(super) timeout_ms: u64,
    pub(super) idempotent: bool,
}

#[derive(Default, Serialize)]
struct CallResult {
    body: Value,
    failed: Option<Failure>,
}

pub(super) fn enter(drive: &mut Drive, peer: &Arc<Peer>) {
    let peer = peer.clone();
    drive.on("call", move |args: CallArgs| {
        let peer = peer.clone();
        async move { peer.call(args).await }
    });
}

impl Peer {
    async fn call(&self, args: CallArgs) -> Result<CallResult> {
        if !args.address.is_empty() {
            return body::unsupported("calls to an address");
        }
        let answer = match args.kind {
            Kind::Json => {
                let json = Json(args.body.clone());
                self.typed(&args, json).await.map(|Json(value)| value)
            }
            Kind::Pb => {
                let text = args.body.as_str().unwrap_or_default().to_owned();
                self.typed(&args, Proto(text))
                    .await
                    .map(|Proto(text)| text.into())
            }
            Kind::Raw => self.raw(&args).await?,
        };
        Ok(match answer {
            Ok(body) => CallResult { body, failed: None },
            Err(status) => CallResult {
                body: Value::Null,
                failed: body::failed(&status),
            },
        })
    }

    async fn typed<P: Payload>(&self, args: &CallArgs, request: P) -> Result<P, Status> {
        let context = body::context(&args.metadata, args.timeout_ms);
        let (service, endpoint) = (args.service.clone(), args.endpoint.clone());
        let mut call = self.backends.client().unary::<P, P>(service, endpoint, request);
        call = call.context(&context);
        if !args.content_type.is_empty() {
            call = call.content_type(args.content_type.clone());
        }
        if args.idempotent {
            call = call.idempotent();
        }
        call.await
    }

    async fn raw(&self, args: &CallArgs) -> Result<Result<Value, Status>> {
        let content_type = match args.content_type.as_str() {
            "" => args.kind.content_type(),
            given => given,
        };
        let body = args.kind.decode(&args.body)?;
        let request = Request::new(args.service.clone(), args.endpoint.clone(), body)
            .with_content_type(content_type.to_owned())
            .with_context(body::context(&args.metadata, args.timeout_ms));
        Ok(match self.backends.client().send(request).await {
            Ok(answer) => Ok(args.kind.show(answer.body.into_one())?),
            Err(status) => Err(status),
        })
    }
}
