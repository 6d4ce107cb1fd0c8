use serde::{Deserialize, Serialize};

#[micro::event]
#[derive(Serialize, Deserialize)]
struct WithoutTopic;

#[micro::event(topic = "orders.*")]
#[derive(Serialize, Deserialize)]
struct Wildcard;

#[micro::event(topic = "orders", queue = "billing")]
#[derive(Serialize, Deserialize)]
struct UnknownArgument;

#[micro::event(topic = "orders")]
fn not_a_type() {}

#[micro::event(topic = "orders")]
#[derive(Serialize, Deserialize)]
struct Generic<T>(T);

#[micro::event(topic = "orders")]
struct NotSerialisable;

#[micro::event(topic = "orders", codec = "protobuf")]
#[derive(Serialize, Deserialize)]
struct NotProst;

#[derive(Serialize, Deserialize)]
struct NoEvent;

fn published<E: micro::TypedEvent>() {}

fn main() {
    published::<NoEvent>();
}
