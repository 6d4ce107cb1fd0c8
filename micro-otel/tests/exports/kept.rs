//! How often a recorder of the whole process is asked for a series.

use std::collections::HashMap;
use std::sync::Mutex;

use ::metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use micro::prelude::*;

use crate::world::World;

/// Counts how often it is asked for each series, and throws away what comes.
#[derive(Default)]
struct Asked(Mutex<HashMap<String, usize>>);

impl Asked {
    fn note(&self, key: &Key) {
        *self.0.lock().unwrap().entry(key.to_string()).or_default() += 1;
    }
}

impl Recorder for &'static Asked {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.note(key);
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.note(key);
        Histogram::noop()
    }
}

/// The series of a method are looked up once for many calls, at both ends.
#[tokio::test(start_paused = true)]
async fn the_series_of_a_method_are_looked_up_once() {
    let asked: &'static Asked = Box::leak(Box::default());
    // No other test of this process has one for all of it.
    assert!(::metrics::set_global_recorder(asked).is_ok());
    let fine = |_: Context, _: Json<()>| async { Ok(Json(())) };
    let service = World::memory()
        .service("kept")
        .serve(Router::new().unary("Kept.Fine", fine));
    let service = service.start().await.unwrap();
    for _ in 0..20 {
        let call = service
            .client()
            .unary::<_, Json<()>>("kept", "Kept.Fine", Json(()));
        call.await.unwrap();
    }
    let asked = asked.0.lock().unwrap();
    let of_it: Vec<_> = asked
        .iter()
        .filter(|(key, _)| key.contains("Kept.Fine"))
        .collect();
    assert_eq!(of_it.len(), 4, "calls and durations at both ends: {of_it:?}");
    assert!(of_it.iter().all(|(_, times)| **times == 1), "{of_it:?}");
}
