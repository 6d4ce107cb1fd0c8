use micro::prelude::*;

#[micro::service]
trait Greeter {
    async fn no_context(&self, name: String) -> Result<String, Status>;
    async fn context_by_value(&self, ctx: Context, name: String) -> Result<String, Status>;
    async fn no_request(&self, ctx: &Context) -> Result<String, Status>;
    async fn nothing(&self) -> Result<String, Status>;
    async fn two_requests(&self, ctx: &Context, name: String, title: String) -> Result<String, Status>;
    async fn borrowed(&self, ctx: &Context, name: &str) -> Result<String, Status>;
    async fn nameless(&self, ctx: &Context, name: impl Into<String>) -> Result<String, Status>;
}

fn main() {}
