#![no_main]

micro_fuzz::target!(nats_common::fuzzing::envelopes);
