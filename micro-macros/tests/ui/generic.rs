use micro::prelude::*;

#[micro::service]
trait Greeter<Name> {
    async fn hello(&self, ctx: &Context, name: String) -> Result<String, Status>;
    async fn generic<T: Into<String>>(&self, ctx: &Context, name: T) -> Result<String, Status>;
    async fn lifetime<'a>(&'a self, ctx: &'a Context, name: String) -> Result<String, Status>;
}

#[micro::service]
unsafe trait Unsafe {
    async fn bounded(&self, ctx: &Context, name: String) -> Result<String, Status>
    where
        Self: Sized;
}

fn main() {}
