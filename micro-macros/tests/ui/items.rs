use micro::prelude::*;

#[micro::service]
trait Greeter {
    const VERSION: u32;
    type Name;
    fn blocking(&self, ctx: &Context, name: String) -> Result<String, Status>;
    async fn default(&self, ctx: &Context, name: String) -> Result<String, Status> {
        Ok(name)
    }
    async unsafe fn daring(&self, ctx: &Context, name: String) -> Result<String, Status>;
}

#[micro::service]
struct English;

#[micro::service]
impl English {
    async fn hello(&self, _: &Context, name: String) -> Result<String, Status> {
        Ok(name)
    }
}

fn main() {}
