//! An endpoint that takes and answers values of every shape, as the Go peers have it.

use std::collections::BTreeMap;

use micro::{Context, Status};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) struct Parcel {
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
pub(super) struct Receipt {
    parcel: Parcel,
    cents: i64,
}

/// Takes and answers values of every shape.
#[micro::service]
pub(super) trait Shop {
    /// Answers with the parcel that it was given.
    async fn send(&self, ctx: &Context, parcel: Parcel) -> Result<Receipt, Status>;
}

/// It charges the same for all.
pub(super) struct OnePrice;

impl Shop for OnePrice {
    async fn send(&self, _: &Context, parcel: Parcel) -> Result<Receipt, Status> {
        let cents = 129_900;
        Ok(Receipt { parcel, cents })
    }
}
