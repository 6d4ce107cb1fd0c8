#![no_main]

micro_fuzz::target!(transport_nats::fuzzing::envelopes_of_sockets);
