//! The places that the guide knows.

use super::{Feature, Point, feature};

/// Names, and degrees north and east.
pub const FEATURES: [(&str, f64, f64); 10] = [
    ("Charles Bridge, Prague", 50.0865, 14.4114),
    ("Prague Castle", 50.0909, 14.4005),
    ("Sněžka", 50.7360, 15.7397),
    ("Wawel Castle, Kraków", 50.0540, 19.9354),
    ("Brandenburg Gate, Berlin", 52.5163, 13.3777),
    ("Zwinger, Dresden", 51.0531, 13.7337),
    ("St. Stephen's Cathedral, Vienna", 48.2085, 16.3731),
    ("Chain Bridge, Budapest", 47.4990, 19.0437),
    ("Matterhorn", 45.9766, 7.6586),
    ("Triglav", 46.3783, 13.8367),
];

/// All names and points.
pub(super) fn all() -> impl Iterator<Item = (&'static str, Point)> {
    FEATURES
        .into_iter()
        .map(|(name, north, east)| (name, Point::of(north, east)))
}

/// What is at a point: a feature without a name when nothing is.
pub(super) fn at(point: Point) -> Feature {
    let name = all()
        .find(|(_, known)| *known == point)
        .map_or("", |(name, _)| name);
    feature(name, point)
}

impl Point {
    /// Degrees north and east.
    pub fn of(north: f64, east: f64) -> Self {
        let scaled = |degrees: f64| (degrees * 1e7).round() as i32;
        Point {
            latitude: scaled(north),
            longitude: scaled(east),
        }
    }
}
