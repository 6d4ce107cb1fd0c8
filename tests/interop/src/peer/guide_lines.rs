//! Messages of the route guide as the lines have them: in protobuf's own mapping to JSON.

use micro_examples::routeguide::{self as guide, Point, Rectangle, RouteNote, RouteSummary};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct PointLine {
    latitude: i32,
    longitude: i32,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct RectangleLine {
    lo: Option<PointLine>,
    hi: Option<PointLine>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct NoteLine {
    location: Option<PointLine>,
    message: String,
}

impl From<PointLine> for Point {
    fn from(PointLine { latitude, longitude }: PointLine) -> Self {
        Point { latitude, longitude }
    }
}

impl From<Point> for PointLine {
    fn from(Point { latitude, longitude }: Point) -> Self {
        PointLine { latitude, longitude }
    }
}

impl From<RectangleLine> for Rectangle {
    fn from(RectangleLine { lo, hi }: RectangleLine) -> Self {
        Rectangle {
            lo: lo.map(Into::into),
            hi: hi.map(Into::into),
        }
    }
}

impl From<NoteLine> for RouteNote {
    fn from(NoteLine { location, message }: NoteLine) -> Self {
        RouteNote {
            location: location.map(Into::into),
            message,
        }
    }
}

pub(super) fn note(RouteNote { location, message }: RouteNote) -> Value {
    json!(NoteLine {
        location: location.map(Into::into),
        message,
    })
}

pub(super) fn feature(guide::Feature { name, location }: guide::Feature) -> Value {
    json!({ "name": name, "location": location.map(PointLine::from) })
}

pub(super) fn summary(summary: RouteSummary) -> Value {
    json!({
        "pointCount": summary.point_count,
        "featureCount": summary.feature_count,
        "distance": summary.distance,
        "elapsedTime": summary.elapsed_time,
    })
}
