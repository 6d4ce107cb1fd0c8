#![no_main]

micro_fuzz::target!(broker_nats::fuzzing::events);
