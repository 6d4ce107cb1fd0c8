use micro::prelude::*;

struct Plain;

#[derive(serde::Serialize)]
struct Half;

#[micro::service]
trait Greeter {
    async fn takes(&self, ctx: &Context, plain: Plain) -> Result<(), Status>;
    async fn answers(&self, ctx: &Context, name: String) -> Result<Streaming<Half>, Status>;
    #[endpoint(codec = "protobuf")]
    async fn protobuf(&self, ctx: &Context, half: Half) -> Result<(), Status>;
    #[endpoint(codec = "payload")]
    async fn payload(&self, ctx: &Context, half: Half) -> Result<micro::Bytes, Status>;
}

fn main() {}
