//! The forms in which our side may send one and the same value.

use micro_core::{Json, Payload, Proto};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What can be sent in every form.
pub(crate) trait Value: prost::Message + Default + Serialize + DeserializeOwned + 'static {}

impl<T: prost::Message + Default + Serialize + DeserializeOwned + 'static> Value for T {}

/// One of the forms.
pub(crate) trait Form: Send + Sync + 'static {
    /// A value in it.
    type Of<T: Value>: Payload;
    /// As set-ups name it.
    const NAME: &'static str;
    /// The endpoint that echoes orders.
    const ECHO: &'static str;
    /// The endpoint that counts.
    const COUNT: &'static str;

    fn of<T: Value>(value: T) -> Self::Of<T>;

    fn value<T: Value>(body: Self::Of<T>) -> T;
}

pub(crate) struct AsJson;

impl Form for AsJson {
    type Of<T: Value> = Json<T>;
    const NAME: &'static str = "JSON";
    const ECHO: &'static str = "Bench.EchoJson";
    const COUNT: &'static str = "Bench.CountJson";

    fn of<T: Value>(value: T) -> Json<T> {
        Json(value)
    }

    fn value<T: Value>(Json(value): Json<T>) -> T {
        value
    }
}

pub(crate) struct AsProto;

impl Form for AsProto {
    type Of<T: Value> = Proto<T>;
    const NAME: &'static str = "protobuf";
    const ECHO: &'static str = "Bench.EchoProto";
    const COUNT: &'static str = "Bench.CountProto";

    fn of<T: Value>(value: T) -> Proto<T> {
        Proto(value)
    }

    fn value<T: Value>(Proto(value): Proto<T>) -> T {
        value
    }
}
