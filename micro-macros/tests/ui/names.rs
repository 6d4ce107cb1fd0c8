use micro::prelude::*;

#[micro::service]
trait Greeter {
    async fn say_hello(&self, ctx: &Context, name: String) -> Result<String, Status>;
    #[endpoint(name = "SayHello")]
    async fn hello(&self, ctx: &Context, name: String) -> Result<String, Status>;
    async fn sayHello(&self, ctx: &Context, name: String) -> Result<String, Status>;
    async fn new(&self, ctx: &Context, name: String) -> Result<String, Status>;
}

fn main() {}
