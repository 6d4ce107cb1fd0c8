//! Makes the interface of the route guide of its .proto.

fn main() -> Result<(), micro_build::Error> {
    micro_build::compile_protos(&["proto/route_guide.proto"], &["proto"])
}
