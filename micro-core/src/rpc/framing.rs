//! What some content types put around a body: go-micro's gRPC, JSON-RPC and proto-RPC codecs.
//!
//! | content type | request | answer |
//! |---|---|---|
//! | `application/grpc`, `+proto`, `+json` | 0, length (u32, big endian), payload | the same |
//! | `application/json-rpc` | `{"params":[payload],"id":"7","method":"A.B"}` | `{"id":"7","result":payload,"error":null}` |
//! | `application/proto-rpc` | length, `Request{1: method, 2: fixed64 id}`, length, payload | length, `Response{1: method, 2: fixed64 id, 3: error}`, length, payload |
//! | all others | the payload | the payload |

use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::codec;
use crate::error::{Error, ErrorKind, Result};

/// What is put around a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Plain,
    Grpc,
    JsonRpc,
    ProtoRpc,
}

#[derive(Serialize, Deserialize)]
struct JsonRequest<'a> {
    #[serde(borrow)]
    params: Vec<&'a RawValue>,
    id: &'a str,
    method: &'a str,
}

#[derive(Serialize, Deserialize)]
struct JsonResponse<'a> {
    #[serde(borrow, default)]
    id: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<std::borrow::Cow<'a, str>>,
}

/// The head of a proto-RPC message, either way.
#[derive(Clone, PartialEq, prost::Message)]
struct ProtoHead {
    #[prost(string, tag = "1")]
    method: String,
    #[prost(fixed64, tag = "2")]
    id: u64,
    #[prost(string, tag = "3")]
    error: String,
}

impl Framing {
    pub(crate) fn of(content_type: &str) -> Self {
        match content_type {
            codec::JSON | codec::PROTOBUF => Framing::Plain,
            "application/json-rpc" => Framing::JsonRpc,
            "application/proto-rpc" => Framing::ProtoRpc,
            grpc if grpc.starts_with("application/grpc") => Framing::Grpc,
            _ => Framing::Plain,
        }
    }

    /// Frames what a caller sends.
    pub(crate) fn request(self, method: &str, id: &str, body: Bytes) -> Result<Bytes> {
        match self {
            Framing::Plain => Ok(body),
            Framing::Grpc => Ok(length_prefixed(&[0], body)),
            Framing::JsonRpc => json_line(&JsonRequest {
                params: vec![raw(&body)?],
                id,
                method,
            }),
            Framing::ProtoRpc => Ok(proto(method, id, String::new(), body)),
        }
    }

    /// Takes the frame off what a caller sent.
    pub(crate) fn unframe_request(self, body: Bytes) -> Result<Bytes> {
        match self {
            Framing::JsonRpc => {
                let request: JsonRequest<'_> = serde_json::from_slice(&body).map_err(malformed)?;
                let first = request
                    .params
                    .first()
                    .ok_or_else(|| cut("a JSON-RPC request has one parameter"))?;
                Ok(body.slice_ref(first.get().as_bytes()))
            }
            _ => self.unframe_answer(body),
        }
    }

    /// Frames what a server answers.
    pub(crate) fn answer(self, id: &str, body: Bytes) -> Result<Bytes> {
        match self {
            Framing::JsonRpc => json_line(&JsonResponse {
                id: Some(id.into()),
                result: Some(raw(&body)?),
                error: None,
            }),
            Framing::ProtoRpc => Ok(proto("", id, String::new(), body)),
            _ => self.request("", id, body),
        }
    }

    /// The body of an answer that says only what went wrong.
    pub(crate) fn failure(self, id: &str, error: &str) -> Bytes {
        match self {
            Framing::JsonRpc => {
                let answer = JsonResponse {
                    id: Some(id.into()),
                    result: None,
                    error: Some(error.into()),
                };
                json_line(&answer).unwrap_or_default()
            }
            Framing::ProtoRpc => proto("", id, error.to_owned(), Bytes::new()),
            Framing::Plain | Framing::Grpc => Bytes::new(),
        }
    }

    /// Takes the frame off what a server answered.
    pub(crate) fn unframe_answer(self, mut body: Bytes) -> Result<Bytes> {
        match self {
            Framing::Plain => Ok(body),
            Framing::Grpc => match body.try_get_u8().map_err(malformed)? {
                0 => take_prefixed(&mut body),
                _ => Err(Error::new(
                    ErrorKind::Unsupported,
                    "compressed gRPC messages are not supported",
                )),
            },
            Framing::JsonRpc => {
                let answer: JsonResponse<'_> = serde_json::from_slice(&body).map_err(malformed)?;
                let result = answer.result.map_or("null", RawValue::get);
                Ok(if result == "null" {
                    Bytes::from_static(b"null")
                } else {
                    body.slice_ref(result.as_bytes())
                })
            }
            Framing::ProtoRpc => {
                ProtoHead::decode(take_prefixed(&mut body)?).map_err(malformed)?;
                take_prefixed(&mut body)
            }
        }
    }
}

fn raw(body: &Bytes) -> Result<&RawValue> {
    serde_json::from_slice(body).map_err(malformed)
}

fn json_line(value: &impl Serialize) -> Result<Bytes> {
    let mut line = serde_json::to_vec(value).map_err(malformed)?;
    line.push(b'\n');
    Ok(line.into())
}

fn proto(method: &str, id: &str, error: String, body: Bytes) -> Bytes {
    let head = ProtoHead {
        method: method.to_owned(),
        id: id.parse().unwrap_or_default(),
        error,
    };
    let head = length_prefixed(&[], head.encode_to_vec().into());
    length_prefixed(&head, body)
}

fn length_prefixed(before: &[u8], body: Bytes) -> Bytes {
    let mut framed = BytesMut::with_capacity(before.len() + 4 + body.len());
    framed.put_slice(before);
    framed.put_u32(u32::try_from(body.len()).unwrap_or(u32::MAX));
    framed.put(body);
    framed.freeze()
}

fn take_prefixed(body: &mut Bytes) -> Result<Bytes> {
    let length = body.try_get_u32().map_err(malformed)? as usize;
    if length > body.len() {
        return Err(cut("a length says more than there is"));
    }
    Ok(body.split_to(length))
}

fn cut(message: &str) -> Error {
    Error::new(ErrorKind::Malformed, message)
}

fn malformed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Malformed, error.to_string()).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &[u8] = b"{\"name\":\"John\"}";

    #[test]
    fn frames_are_those_of_go_micro() {
        let body = || Bytes::from_static(JSON);
        let grpc = Framing::Grpc.request("Greeter.Hello", "9", body()).unwrap();
        assert_eq!(&grpc[..], b"\x00\x00\x00\x00\x0f{\"name\":\"John\"}");
        let json = Framing::JsonRpc.request("Greeter.Hello", "11", body()).unwrap();
        assert_eq!(
            &json[..],
            b"{\"params\":[{\"name\":\"John\"}],\"id\":\"11\",\"method\":\"Greeter.Hello\"}\n"
        );
        let proto = Framing::ProtoRpc
            .request("Greeter.Pb", "13", Bytes::from_static(b"\n\x04John"))
            .unwrap();
        assert_eq!(
            &proto[..],
            b"\0\0\0\x15\n\nGreeter.Pb\x11\r\0\0\0\0\0\0\0\0\0\0\x06\n\x04John"
        );
        let answer = Framing::JsonRpc.answer("11", body()).unwrap();
        assert_eq!(
            &answer[..],
            b"{\"id\":\"11\",\"result\":{\"name\":\"John\"},\"error\":null}\n"
        );
    }

    #[test]
    fn what_was_framed_comes_off_again() {
        for framing in [Framing::Plain, Framing::Grpc, Framing::JsonRpc, Framing::ProtoRpc] {
            let request = framing.request("A.B", "1", Bytes::from_static(JSON)).unwrap();
            assert_eq!(
                &framing.unframe_request(request).unwrap()[..],
                JSON,
                "{framing:?}"
            );
            let answer = framing.answer("1", Bytes::from_static(JSON)).unwrap();
            assert_eq!(&framing.unframe_answer(answer).unwrap()[..], JSON, "{framing:?}");
        }
    }

    #[test]
    fn a_length_that_lies_is_malformed() {
        for (framing, body) in [
            (Framing::Grpc, &b"\x00\xff\xff\xff\xffx"[..]),
            (Framing::Grpc, b""),
            (Framing::ProtoRpc, b"\x00\x00\x00\x09x"),
            (
                Framing::JsonRpc,
                b"{\"params\":[],\"id\":\"1\",\"method\":\"A.B\"}",
            ),
        ] {
            let error = framing.unframe_request(Bytes::from_static(body)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed, "{framing:?}");
        }
    }
}
