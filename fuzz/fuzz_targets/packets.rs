#![no_main]

micro_fuzz::target!(transport_nats::fuzzing::packets);
