use micro::prelude::*;

#[micro::service(nam = "greeter")]
trait UnknownOfTrait {
    #[endpoint(retries = 3)]
    async fn unknown(&self, ctx: &Context, name: String) -> Result<String, Status>;
    #[endpoint(idempotent, idempotent)]
    async fn twice(&self, ctx: &Context, name: String) -> Result<String, Status>;
    #[endpoint(timeout = "2 fortnights")]
    async fn timeout(&self, ctx: &Context, name: String) -> Result<String, Status>;
    #[endpoint(name = "Two.Dots")]
    async fn dots(&self, ctx: &Context, name: String) -> Result<String, Status>;
    #[endpoint(codec = "xml")]
    async fn codec(&self, ctx: &Context, name: String) -> Result<String, Status>;
    #[endpoint(name)]
    async fn no_value(&self, ctx: &Context, name: String) -> Result<String, Status>;
}

#[micro::service(name = "white space")]
trait IllegalName {}

#[micro::service(prefix = "")]
trait IllegalPrefix {}

fn main() {}
