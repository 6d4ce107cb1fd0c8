use micro::prelude::*;

#[micro::service]
trait Greeter {
    async fn hello(&self, ctx: &Context, name: String) -> Result<String, Status>;
}

struct English(std::rc::Rc<String>);

impl Greeter for English {
    async fn hello(&self, _: &Context, name: String) -> Result<String, Status> {
        Ok(format!("{} {name}", self.0))
    }
}

fn main() {
    let _ = GreeterServer::new(English(std::rc::Rc::new("Hello".to_owned())));
}
