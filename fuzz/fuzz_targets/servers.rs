#![no_main]

micro_fuzz::target!(micro_core::fuzzing::servers);
