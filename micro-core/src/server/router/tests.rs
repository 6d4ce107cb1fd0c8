use super::*;
use crate::codec::Json;
use crate::rpc::Context;

async fn echo(_: Context, value: Json<u32>) -> Result<Json<u32>, Status> {
    Ok(value)
}

#[test]
fn one_name_twice_is_reported() {
    let router = Router::new().unary("A.B", echo).unary("A.B", echo);
    assert_eq!(router.check().unwrap_err().kind(), ErrorKind::AlreadyExists);
    let router = Router::new()
        .unary("A.B", echo)
        .merge(Router::new().unary("A.B", echo));
    assert_eq!(router.check().unwrap_err().kind(), ErrorKind::AlreadyExists);
}

#[test]
fn an_illegal_name_is_reported() {
    let router = Router::new().unary("no dots", echo);
    assert_eq!(router.check().unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn internal_endpoints_stay_out_of_the_registry() {
    let router = Router::new()
        .unary("Debug.Health", echo)
        .internal()
        .unary("A.B", echo);
    let names: Vec<_> = router
        .endpoints()
        .into_iter()
        .map(|endpoint| endpoint.name)
        .collect();
    assert_eq!(names, ["A.B"]);
}

#[test]
fn an_unknown_endpoint_is_answered_with_the_known_ones() {
    let status = Router::new().unary("A.B", echo).unknown("A.C");
    assert_eq!(status.message(), "rpc: can't find method C; known: A.B");
}
