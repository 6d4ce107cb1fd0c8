//! The route guide of gRPC's tutorial: generated from its .proto, and implemented.

mod chat;
mod features;
mod geometry;

use std::time::Instant;

use futures::TryStreamExt;
use micro::{Context, Status, Streaming};

use chat::Notes;

micro::include_proto!("routeguide");

pub use features::FEATURES;

/// Knows the places in [`FEATURES`], and the notes that were left.
#[derive(Debug, Default)]
pub struct Guide {
    notes: Notes,
}

impl RouteGuide for Guide {
    async fn get_feature(&self, _: &Context, point: Point) -> Result<Feature, Status> {
        if !geometry::is_on_globe(&point) {
            return Err(Status::invalid_argument("a point is on the globe"));
        }
        Ok(features::at(point))
    }

    async fn list_features(&self, _: &Context, within: Rectangle) -> Result<Streaming<Feature>, Status> {
        let (Some(lo), Some(hi)) = (within.lo, within.hi) else {
            return Err(Status::invalid_argument("a rectangle has two corners"));
        };
        let found = features::all().filter(move |(_, point)| geometry::is_within(point, &lo, &hi));
        Ok(found.map(|(name, point)| feature(name, point)).collect())
    }

    async fn record_route(&self, _: &Context, mut points: Streaming<Point>) -> Result<RouteSummary, Status> {
        let start = Instant::now();
        let mut summary = RouteSummary::default();
        let mut last = None;
        let mut metres = 0.0;
        while let Some(point) = points.next().await {
            let point = point?;
            summary.point_count += 1;
            summary.feature_count += i32::from(!features::at(point).name.is_empty());
            metres += last.map_or(0.0, |last| geometry::metres(&last, &point));
            last = Some(point);
        }
        // Saturates, as `as` does: no route is that long.
        summary.distance = metres as i32;
        summary.elapsed_time = i32::try_from(start.elapsed().as_secs()).unwrap_or(i32::MAX);
        Ok(summary)
    }

    async fn route_chat(
        &self,
        _: &Context,
        notes: Streaming<RouteNote>,
    ) -> Result<Streaming<RouteNote>, Status> {
        let book = self.notes.clone();
        let answers = notes.and_then(move |note| std::future::ready(book.leave(note)));
        let answers = answers.map_ok(|earlier| futures::stream::iter(earlier.into_iter().map(Ok)));
        Ok(Streaming::new(answers.try_flatten()))
    }
}

fn feature(name: &str, location: Point) -> Feature {
    Feature {
        name: name.to_owned(),
        location: Some(location),
    }
}
