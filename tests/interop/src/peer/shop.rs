//! An endpoint that takes and answers values of every shape, as the Go peers have it.

use std::collections::BTreeMap;

use micro::{Context, Json, Router, Status};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Parcel {
    id: u64,
    express: bool,
    weight: f64,
    lines: Vec<ParcelLine>,
    home: ParcelAddress,
    notes: BTreeMap<String, String>,
    tags: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct ParcelLine {
    item: String,
    count: i32,
}

#[derive(Serialize, Deserialize)]
struct ParcelAddress {
    street: String,
    #[serde(rename = "where")]
    place: ParcelPlaces,
}

#[derive(Serialize, Deserialize)]
struct ParcelPlaces {
    latitude: f32,
}

#[derive(Serialize, Deserialize)]
struct Receipt {
    parcel: Parcel,
    cents: i64,
}

pub(super) fn router() -> Router {
    Router::new().unary("Shop.Send", send)
}

async fn send(_: Context, Json(parcel): Json<Parcel>) -> Result<Json<Receipt>, Status> {
    let cents = 129_900;
    Ok(Json(Receipt { parcel, cents }))
}
