use micro::prelude::*;

#[micro::service]
trait Greeter {
    async fn missing(ctx: &Context, name: String) -> Result<String, Status>;
    async fn none() -> Result<String, Status>;
    async fn by_value(self, ctx: &Context, name: String) -> Result<String, Status>;
    async fn exclusive(&mut self, ctx: &Context, name: String) -> Result<String, Status>;
    async fn typed(self: &Self, ctx: &Context, name: String) -> Result<String, Status>;
}

fn main() {}
