//! A [`Status`] as go-micro writes it into the `Micro-Error` header, and back, losing nothing in either direction.
//!
//! go-micro's form is JSON `{"id","code","detail","status"}`, each left out when empty; an error that is not of its
//! own type is bare text. `code` is a number of HTTP and `status` its text. What gRPC has beyond that goes where
//! go-micro reads past it: the code's name in `status` where several share a number, and `details` and `delivery`
//! as further members.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::rpc::status::Origin;
use crate::rpc::{Code, Status};

const NEVER: &str = "never";

#[derive(Serialize, Deserialize)]
struct MicroError<'a> {
    #[serde(default, skip_serializing_if = "str::is_empty")]
    id: std::borrow::Cow<'a, str>,
    #[serde(default, skip_serializing_if = "is_zero")]
    code: i32,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    detail: std::borrow::Cow<'a, str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    status: std::borrow::Cow<'a, str>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    details: String,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    delivery: std::borrow::Cow<'a, str>,
}

fn is_zero(code: &i32) -> bool {
    *code == 0
}

/// The text of the `Micro-Error` header; `id` names the service when the status began here.
pub(crate) fn encode(status: &Status, id: &str) -> String {
    let (number, text) = status.code().to_http();
    let (id, code, text) = match status.origin() {
        Origin::Text if plain(status) => return status.message().to_owned(),
        Origin::Micro { id, code, status } => (id.as_str(), *code, status.as_str()),
        Origin::Here | Origin::Text => (id, number, text),
    };
    let error = MicroError {
        id: id.into(),
        code,
        detail: status.message().into(),
        status: text.into(),
        details: STANDARD.encode(status.details()),
        delivery: if status.is_never_delivered() {
            NEVER.into()
        } else {
            "".into()
        },
    };
    // Text and numbers always serialise; were it otherwise, the message alone is still an answer.
    serde_json::to_string(&error).unwrap_or_else(|_| status.message().to_owned())
}

/// The status that a `Micro-Error` header tells.
pub(crate) fn decode(text: &str) -> Status {
    // A list of its members would be read as one, too; it is the words of somebody who knows nothing of it.
    let read = || serde_json::from_str::<MicroError<'_>>(text).ok();
    match text.trim_start().starts_with('{').then(read).flatten() {
        Some(error) => from_json(error),
        None => Status::new(code_of_text(text), text).with_origin(Origin::Text),
    }
}

fn from_json(error: MicroError<'_>) -> Status {
    let status = Status::new(Code::from_http(error.code, &error.status), error.detail)
        .with_details(STANDARD.decode(&error.details).unwrap_or_default())
        .with_origin(Origin::Micro {
            id: error.id.into_owned(),
            code: error.code,
            status: error.status.into_owned(),
        });
    if error.delivery == NEVER {
        status.never_delivered()
    } else {
        status
    }
}

/// Bare text can say neither details nor delivery, and must not be empty, which would mean success.
fn plain(status: &Status) -> bool {
    status.details().is_empty() && !status.is_never_delivered() && !status.message().is_empty()
}

/// The errors of go-micro's router are bare text; these are its sentences.
fn code_of_text(text: &str) -> Code {
    if text.starts_with("rpc: can't find") {
        Code::Unimplemented
    } else if text.contains("request ill-formed") || text.contains("cannot decode request") {
        Code::InvalidArgument
    } else {
        Code::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_status_survives_the_wire() {
        let status = Status::data_loss("half of it")
            .with_details(&b"\x00\xff"[..])
            .never_delivered();
        let back = decode(&encode(&status, "greeter"));
        assert_eq!((back.code(), back.message()), (Code::DataLoss, "half of it"));
        assert_eq!(&back.details()[..], b"\x00\xff");
        assert!(back.is_never_delivered());
        assert_eq!(back.id(), Some("greeter"));
    }

    #[test]
    fn a_common_status_has_just_the_four_members_of_go_micro() {
        let text = encode(&Status::not_found("nobody"), "greeter");
        assert_eq!(
            text,
            r#"{"id":"greeter","code":404,"detail":"nobody","status":"Not Found"}"#
        );
    }

    #[test]
    fn a_go_error_is_said_again_unchanged() {
        for text in [
            r#"{"id":"greeter","code":400,"detail":"stream bad","status":"Bad Request"}"#,
            r#"{"id":"x","code":418,"detail":"short","status":"I'm a teapot"}"#,
            r#"{"detail":"only this"}"#,
            "plain error",
            "[]",
            r#"["greeter",404]"#,
        ] {
            assert_eq!(encode(&decode(text), "other"), text);
        }
    }

    #[test]
    fn the_router_of_go_micro_is_understood() {
        assert_eq!(decode("rpc: can't find method Nope").code(), Code::Unimplemented);
        assert_eq!(
            decode("rpc: service/endpoint request ill-formed: Nope").code(),
            Code::InvalidArgument
        );
        assert_eq!(decode("anything").code(), Code::Unknown);
    }

    #[test]
    fn an_empty_error_is_still_an_error() {
        assert!(!encode(&Status::unknown("").with_origin(Origin::Text), "").is_empty());
    }
}
