//! Generates the interfaces of the clauses about .proto files.

fn main() -> Result<(), micro_build::Error> {
    micro_build::configure()
        .include_file("protos.rs")
        .compile(&["proto/shop/orders.proto", "proto/bare.proto"], &["proto"])
}
