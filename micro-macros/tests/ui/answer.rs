use micro::prelude::*;

#[micro::service]
trait Greeter {
    async fn nothing(&self, ctx: &Context, name: String);
    async fn bare(&self, ctx: &Context, name: String) -> String;
    async fn option(&self, ctx: &Context, name: String) -> Option<String>;
    async fn other_error(&self, ctx: &Context, name: String) -> Result<String, std::io::Error>;
    async fn alias(&self, ctx: &Context, name: String) -> micro::Result<String>;
    async fn borrowed(&self, ctx: &Context, name: String) -> Result<&str, Status>;
}

fn main() {}
