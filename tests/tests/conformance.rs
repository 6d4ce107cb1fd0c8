//! Every clause on every backend: `cargo test -p micro-conformance --test conformance memory::broker`.

#![allow(
    clippy::expect_used,
    reason = "a world that cannot be opened fails its clause"
)]

mod own_backend;
mod route_guide;
mod testing;
mod worlds;

mod memory {
    use crate::worlds::MemoryWorld;

    micro_conformance::transport_suite!(transport, MemoryWorld::new());
    micro_conformance::broker_suite!(broker, MemoryWorld::new());
    micro_conformance::registry_suite!(registry, MemoryWorld::new());
    micro_conformance::rpc_suite!(rpc, MemoryWorld::new());
    micro_conformance::service_suite!(service, MemoryWorld::new());
    micro_conformance::typed_suite!(typed, MemoryWorld::new());
}

/// The same with a limit for messages, which memory has none of by itself.
mod memory_with_limit {
    use crate::worlds::MemoryWorld;

    micro_conformance::transport_suite!(transport, MemoryWorld::with_limit(1 << 20));
    micro_conformance::broker_suite!(broker, MemoryWorld::with_limit(1 << 20));
    micro_conformance::rpc_suite!(rpc, MemoryWorld::with_limit(1 << 20));
}

mod nats {
    use crate::worlds::NatsWorld;

    micro_conformance::transport_suite!(transport, NatsWorld::start().await);
    micro_conformance::broker_suite!(broker, NatsWorld::start().await);
    micro_conformance::registry_suite!(registry, NatsWorld::start().await);
    micro_conformance::rpc_suite!(rpc, NatsWorld::start().await);
    micro_conformance::service_suite!(service, NatsWorld::start().await);
    micro_conformance::typed_suite!(typed, NatsWorld::start().await);
}

/// Events in the native encoding, among others that are not.
mod nats_native {
    use crate::worlds::events::ChangingFleet;

    micro_conformance::broker_suite!(broker, ChangingFleet::start().await);
}

/// What the test kit puts in front of backends, while nothing goes wrong.
mod testbed {
    use micro::testing::Testbed;

    use crate::testing::TestbedWorld;

    micro_conformance::transport_suite!(transport, TestbedWorld::new(Testbed::memory()));
    micro_conformance::broker_suite!(broker, TestbedWorld::new(Testbed::memory()));
    micro_conformance::registry_suite!(registry, TestbedWorld::new(Testbed::memory()));
    micro_conformance::rpc_suite!(rpc, TestbedWorld::new(Testbed::memory()));
    micro_conformance::service_suite!(service, TestbedWorld::new(Testbed::memory()));
    micro_conformance::typed_suite!(typed, TestbedWorld::new(Testbed::memory()));
}

mod testbed_on_nats {
    use micro::testing::Testbed;

    use crate::testing::TestbedWorld;

    micro_conformance::transport_suite!(transport, TestbedWorld::new(Testbed::nats().await));
    micro_conformance::broker_suite!(broker, TestbedWorld::new(Testbed::nats().await));
    micro_conformance::registry_suite!(registry, TestbedWorld::new(Testbed::nats().await));
    micro_conformance::rpc_suite!(rpc, TestbedWorld::new(Testbed::nats().await));
    micro_conformance::service_suite!(service, TestbedWorld::new(Testbed::nats().await));
    micro_conformance::typed_suite!(typed, TestbedWorld::new(Testbed::nats().await));
}

/// The same server, and sockets in go-micro's encoding. Brokers and registries do not differ.
mod nats_go_micro {
    use crate::worlds::NatsWorld;

    micro_conformance::transport_suite!(transport, NatsWorld::start().await.in_envelopes());
    micro_conformance::rpc_suite!(rpc, NatsWorld::start().await.in_envelopes());
    micro_conformance::service_suite!(service, NatsWorld::start().await.in_envelopes());
    micro_conformance::typed_suite!(typed, NatsWorld::start().await.in_envelopes());
}
