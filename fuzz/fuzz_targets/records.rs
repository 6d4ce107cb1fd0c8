#![no_main]

micro_fuzz::target!(registry_nats::fuzzing::records);
