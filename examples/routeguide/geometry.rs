//! On a sphere.

use super::Point;

/// The mean radius of the earth.
const METRES: f64 = 6_371_000.0;

/// Whether there is such a point: 90 degrees to the north and the south, 180 to the east and the west.
pub(super) fn is_on_globe(point: &Point) -> bool {
    point.latitude.unsigned_abs() <= 900_000_000 && point.longitude.unsigned_abs() <= 1_800_000_000
}

/// Whether a point is within a rectangle, whichever two opposite corners are given.
pub(super) fn is_within(point: &Point, one: &Point, other: &Point) -> bool {
    let between = |it: i32, a: i32, b: i32| (a.min(b)..=a.max(b)).contains(&it);
    between(point.latitude, one.latitude, other.latitude)
        && between(point.longitude, one.longitude, other.longitude)
}

/// The shortest way between two points, by the haversine formula.
pub(super) fn metres(from: &Point, to: &Point) -> f64 {
    let radians = |scaled: i32| (f64::from(scaled) / 1e7).to_radians();
    let (from_north, to_north) = (radians(from.latitude), radians(to.latitude));
    let half = |angle: f64| (angle / 2.0).sin().powi(2);
    let north = half(to_north - from_north);
    let east = half(radians(to.longitude) - radians(from.longitude));
    let chord = north + from_north.cos() * to_north.cos() * east;
    2.0 * METRES * chord.sqrt().min(1.0).asin()
}
