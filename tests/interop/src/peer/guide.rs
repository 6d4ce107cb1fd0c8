//! The route guide of the examples, served and called by what `micro-build` makes of its .proto.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use futures::stream;
use micro::client::Call;
use micro::{Context, Router, Status, Streaming};
use micro_examples::routeguide::{
    Feature, Guide, Point, Rectangle, RouteGuide, RouteGuideClient, RouteGuideServer, RouteNote, RouteSummary,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

use super::Peer;
use super::body::{self, Failure};
use super::drive::{Drive, Emitter};
use super::guide_lines::{self as lines, NoteLine, PointLine, RectangleLine};
use super::heard::RecvResult;

#[derive(Deserialize)]
struct Args<A> {
    service: String,
    #[serde(default)]
    timeout_ms: u64,
    #[serde(flatten)]
    more: A,
}

#[derive(Deserialize)]
struct FeatureArgs {
    point: PointLine,
}

#[derive(Deserialize)]
struct ListArgs {
    rectangle: RectangleLine,
}

#[derive(Deserialize)]
struct RecordArgs {
    points: Vec<PointLine>,
}

#[derive(Deserialize)]
struct ChatArgs {
    notes: Vec<Said>,
}

/// A note, and how many answers are awaited before the next is written.
#[derive(Deserialize)]
struct Said {
    note: NoteLine,
    answers: usize,
}

#[derive(Serialize)]
struct CallResult {
    body: Value,
    failed: Option<Failure>,
}

pub(super) fn enter(drive: &mut Drive, peer: &Arc<Peer>) {
    let p = peer.clone();
    drive.on("get_feature", move |args: Args<FeatureArgs>| {
        let guide = p.guide(&args);
        async move {
            let answer = args.asked(guide.get_feature(args.more.point.into())).await;
            Ok(CallResult::new(answer.map(lines::feature)))
        }
    });
    let p = peer.clone();
    drive.on("list_features", move |args: Args<ListArgs>| {
        let guide = p.guide(&args);
        async move { Ok(list(guide, args).await) }
    });
    let p = peer.clone();
    drive.on("record_route", move |args: Args<RecordArgs>| {
        let guide = p.guide(&args);
        async move {
            let points = args.more.points.iter().map(|point| Point::from(*point));
            let answer = args.asked(guide.record_route(points.collect())).await;
            Ok(CallResult::new(answer.map(lines::summary)))
        }
    });
    let p = peer.clone();
    drive.on("route_chat", move |args: Args<ChatArgs>| {
        let guide = p.guide(&args);
        async move { Ok(chat(guide, args).await) }
    });
}

impl Peer {
    fn guide<A>(&self, args: &Args<A>) -> RouteGuideClient {
        RouteGuideClient::new(self.backends.client()).with_service(args.service.clone())
    }
}

impl<A> Args<A> {
    /// With what the arguments say of every call.
    fn asked<Kind, Res>(&self, call: Call<Kind, Res>) -> Call<Kind, Res> {
        match self.timeout_ms {
            0 => call,
            ms => call.timeout(Duration::from_millis(ms)),
        }
    }
}

async fn list(guide: RouteGuideClient, args: Args<ListArgs>) -> RecvResult {
    let Args { more, .. } = &args;
    let mut result = RecvResult::default();
    let within = Rectangle::from(more.rectangle);
    match args.asked(guide.list_features(within)).await {
        Ok(mut features) => while result.hears(features.next().await.map(|it| it.map(lines::feature))) {},
        Err(status) => result.ends(Some(status)),
    }
    result
}

async fn chat(guide: RouteGuideClient, args: Args<ChatArgs>) -> RecvResult {
    let (writer, mut queue) = mpsc::channel(1);
    let notes = stream::poll_fn(move |cx| queue.poll_recv(cx).map(|note| note.map(Ok)));
    let call = args.asked(guide.route_chat(Streaming::new(notes)));
    let mut result = RecvResult::default();
    match call.await {
        Ok(mut earlier) => talk(args.more.notes, writer, &mut earlier, &mut result).await,
        Err(status) => result.ends(Some(status)),
    }
    result
}

/// Writes each note when the answers to the one before have come; the stream stays open until all have.
async fn talk(
    notes: Vec<Said>,
    writer: mpsc::Sender<RouteNote>,
    earlier: &mut Streaming<RouteNote>,
    result: &mut RecvResult,
) {
    for Said { note, answers } in notes {
        // A stream that has ended says why when it is read.
        let _ = writer.send(note.into()).await;
        for _ in 0..answers {
            if !result.hears(earlier.next().await.map(|it| it.map(lines::note))) {
                return;
            }
        }
    }
}

impl CallResult {
    fn new(answer: Result<Value, Status>) -> Self {
        let (body, failed) = match answer {
            Ok(body) => (body, None),
            Err(status) => (Value::Null, body::failed(&status)),
        };
        CallResult { body, failed }
    }
}

/// Serves the guide of the examples, and tells of each route that was recorded.
pub(super) fn server(emitter: Emitter, event: String) -> Router {
    RouteGuideServer::new(Told {
        guide: Guide::default(),
        emitter,
        event,
    })
    .into()
}

struct Told {
    guide: Guide,
    emitter: Emitter,
    event: String,
}

impl RouteGuide for Told {
    async fn get_feature(&self, ctx: &Context, point: Point) -> Result<Feature, Status> {
        self.guide.get_feature(ctx, point).await
    }

    async fn list_features(&self, ctx: &Context, within: Rectangle) -> Result<Streaming<Feature>, Status> {
        self.guide.list_features(ctx, within).await
    }

    async fn record_route(&self, ctx: &Context, points: Streaming<Point>) -> Result<RouteSummary, Status> {
        let summary = self.guide.record_route(ctx, points).await?;
        self.emitter.emit(&self.event, lines::summary(summary));
        Ok(summary)
    }

    async fn route_chat(
        &self,
        ctx: &Context,
        notes: Streaming<RouteNote>,
    ) -> Result<Streaming<RouteNote>, Status> {
        self.guide.route_chat(ctx, notes).await
    }
}
