//! What messages look like, for the registry: as go-micro tells it of the structs of `protoc-gen-go`.

use protox::prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Value, json};

/// How many levels of fields are told; go-micro tells as many.
const DEPTH: usize = 3;

/// The shape of a message, as JSON; of a name that nobody declared, nothing.
pub(crate) fn of(pool: &DescriptorPool, message: &str) -> Option<String> {
    let message = pool.get_message_by_name(message.trim_start_matches('.'))?;
    let kind = named(message.full_name(), message.package_name());
    let shape = json!({"name": kind, "type": kind, "values": fields(&message, 0)});
    Some(shape.to_string())
}

fn fields(message: &MessageDescriptor, depth: usize) -> Vec<Value> {
    match depth {
        DEPTH => Vec::new(),
        _ => message.fields().map(|one| field(&one, depth)).collect(),
    }
}

fn field(field: &FieldDescriptor, depth: usize) -> Value {
    let (kind, values) = match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
            let kind = format!("map[{}]{}", type_name(&key.kind()), type_name(&value.kind()));
            (kind, within(&value.kind(), depth))
        }
        kind if field.is_list() => (format!("[]{}", type_name(&kind)), within(&kind, depth)),
        kind => (type_name(&kind), within(&kind, depth)),
    };
    json!({"name": field.name(), "type": kind, "values": values})
}

fn within(kind: &Kind, depth: usize) -> Vec<Value> {
    match kind {
        Kind::Message(message) => fields(message, depth + 1),
        _ => Vec::new(),
    }
}

/// Go's name of a type.
fn type_name(kind: &Kind) -> String {
    let plain = match kind {
        Kind::Double => "float64",
        Kind::Float => "float32",
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => "int32",
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => "int64",
        Kind::Uint32 | Kind::Fixed32 => "uint32",
        Kind::Uint64 | Kind::Fixed64 => "uint64",
        Kind::Bool => "bool",
        Kind::String => "string",
        Kind::Bytes => "[]uint8",
        Kind::Message(message) => return named(message.full_name(), message.package_name()),
        Kind::Enum(one) => return named(one.full_name(), one.package_name()),
    };
    plain.to_owned()
}

/// Without its package, and with what it is nested in: `Order_Line`.
fn named(full: &str, package: &str) -> String {
    let name = full.strip_prefix(package).unwrap_or(full);
    name.trim_start_matches('.').replace('.', "_")
}
