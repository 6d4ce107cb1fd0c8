//! What it costs that calls and events could be observed, where nobody does.

use allocation_counter::measure;
use bytes::Bytes;
use micro_core::observe::{self, Loss, Methods};
use micro_core::{Context, Message, Request};

/// Nothing is allocated for what no subscriber and no recorder wants.
#[test]
fn what_nobody_observes_allocates_nothing() {
    let mut request = Request::new("greeter", "Greeter.Hello", Bytes::new());
    let methods = Methods::new("greeter", ["Greeter.Hello"]);
    let mut message = Message::default();
    let mut context = Context::new();
    let counted = measure(|| {
        for _ in 0..1_000 {
            assert!(observe::client(&mut request).is_none());
            assert!(observe::server(&mut request, &methods).is_none());
            observe::dropped("transport-nats", Loss::Late);
        }
    });
    assert_eq!(counted.count_total, 0, "of calls");
    let counted = measure(|| {
        for _ in 0..1_000 {
            assert!(observe::publish("orders", &mut message).is_none());
            assert!(observe::process("orders", None, &message.headers, &mut context).is_none());
        }
    });
    assert_eq!(counted.count_total, 0, "of events");
}
