//! All that is counted and measured, by name.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// In seconds.
const DURATIONS: [(&str, &str); 3] = [
    ("rpc.client.call.duration", "How long calls took that were made"),
    (
        "rpc.server.call.duration",
        "How long calls took that were answered",
    ),
    ("messaging.process.duration", "How long events took to handle"),
];

const COUNTERS: [(&str, &str); 12] = [
    ("rpc.client.calls", "Calls that were made, by how they ended"),
    ("rpc.server.calls", "Calls that were answered, by how they ended"),
    (
        "rpc.client.retries",
        "Attempts after the first, by how the one before failed",
    ),
    (
        "rpc.client.hedges",
        "Second attempts beside slow ones, by which of the two counted",
    ),
    (
        "micro.circuit.changes",
        "Changes of circuits, by the state that they are in since",
    ),
    ("micro.circuit.refusals", "Calls that an open circuit refused"),
    (
        "rpc.server.refusals",
        "Calls that were refused before any handler",
    ),
    ("messaging.client.sent.messages", "Events that were published"),
    ("messaging.client.consumed.messages", "Events that were handled"),
    (
        "messaging.client.lost.messages",
        "Events that came to nothing, by cause",
    ),
    (
        "messaging.client.pauses",
        "Times that members of queue groups left them for a while, being full",
    ),
    (
        "micro.ignored.messages",
        "Messages that a backend ignored or refused, by cause",
    ),
];

const GAUGES: [(&str, &str); 3] = [
    ("rpc.client.active_requests", "Calls that wait for their end"),
    ("rpc.server.active_requests", "Calls that are being answered"),
    (
        "messaging.process.active_messages",
        "Events that are being handled",
    ),
];

/// Describes all that is counted and measured, with units, to the recorder of the moment. A service does so when it
/// starts.
pub fn describe() {
    for (name, text) in DURATIONS {
        describe_histogram!(name, Unit::Seconds, text);
    }
    for (name, text) in COUNTERS {
        describe_counter!(name, Unit::Count, text);
    }
    for (name, text) in GAUGES {
        describe_gauge!(name, Unit::Count, text);
    }
}
