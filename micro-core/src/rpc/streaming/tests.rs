use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use futures::{FutureExt, stream};

use super::*;
use crate::codec::{Json, Payload};
use crate::rpc::Code;
use crate::rpc::credit::Credit;
use crate::rpc::items::{Chunk, Items};
use crate::rpc::pack::Pack;

const NUMBER: Marshaller<Json<u32>> = Marshaller::payload();

fn pack(items: &[&'static str]) -> Chunk {
    let bytes: Vec<u8> = items
        .iter()
        .flat_map(|item| [&(item.len() as u32).to_be_bytes(), item.as_bytes()].concat())
        .collect();
    Chunk::Many(Items::open(bytes.into()).unwrap())
}

/// What has come, and nothing more comes for now.
fn numbers(chunks: impl IntoIterator<Item = Chunk>) -> Streaming<Json<u32>> {
    let chunks: Vec<_> = chunks.into_iter().map(Ok).collect();
    let body = BodyStream::of_chunks(stream::iter(chunks).chain(stream::pending()));
    Streaming::decode(body, Codec::Json, NUMBER, Status::from)
}

fn next(numbers: &mut Streaming<Json<u32>>) -> Option<Result<u32, Code>> {
    let next = numbers.next().now_or_never()?;
    next.map(|item| item.map(|Json(number)| number).map_err(|status| status.code()))
}

/// The items of the next pack.
fn packed(body: &mut BodyStream, pack: &mut Pack) -> Vec<Bytes> {
    body.fill(pack).now_or_never().unwrap();
    match pack.take().unwrap() {
        Chunk::One(item) => vec![item],
        Chunk::Many(mut items) => std::iter::from_fn(|| items.next()).collect(),
    }
}

#[test]
fn the_values_of_packs_come_one_after_the_other() {
    let alone = Chunk::One(Bytes::from_static(b"3"));
    let mut numbers = numbers([pack(&["1", "2"]), alone, pack(&["4", "5", "6"])]);
    for number in 1..=6 {
        assert_eq!(next(&mut numbers), Some(Ok(number)));
    }
    assert_eq!(next(&mut numbers), None);
}

#[test]
fn a_pack_of_more_values_than_are_decoded_at_once_comes_whole() {
    let texts: Vec<&'static str> = (0..1000).map(|number| &*number.to_string().leak()).collect();
    let mut numbers = numbers([pack(&texts)]);
    for number in 0..1000 {
        assert_eq!(next(&mut numbers), Some(Ok(number)));
    }
    assert_eq!(next(&mut numbers), None);
}

#[test]
fn what_cannot_be_decoded_comes_behind_what_was_before_it() {
    let mut numbers = numbers([pack(&["1", "2", "x", "4"])]);
    assert_eq!(next(&mut numbers), Some(Ok(1)));
    assert_eq!(next(&mut numbers), Some(Ok(2)));
    assert_eq!(next(&mut numbers), Some(Err(Code::InvalidArgument)));
}

/// A number that is not to be 4.
struct Touchy;

impl Payload for Touchy {
    const CODEC: Codec = Codec::Json;

    fn encode(&self, _: Codec) -> crate::Result<Bytes> {
        Ok(Bytes::from_static(b"0"))
    }

    fn decode(_: Codec, body: Bytes) -> crate::Result<Self> {
        assert_ne!(body, "4", "it is touchy");
        Ok(Touchy)
    }
}

#[test]
fn what_panics_when_it_is_decoded_takes_nothing_along_that_was_before_it() {
    let chunks = stream::iter([Ok(pack(&["1", "2", "3", "4"]))]);
    let body = BodyStream::of_chunks(chunks.chain(stream::pending()));
    let values = Streaming::<Touchy>::decode(body, Codec::Json, Marshaller::payload(), Status::from);
    let mut body = values.encode(Codec::Json, Marshaller::payload(), Status::from);
    let mut pack = Pack::new(Some(Credit::new()));
    let filling = AssertUnwindSafe(|| while body.fill(&mut pack).now_or_never().is_some() {});
    assert!(catch_unwind(filling).is_err());
    assert_eq!(pack.take().map(|chunk| chunk.amount().items), Some(3));
}

#[test]
fn of_large_values_one_is_decoded_at_a_time() {
    let large = &*format!("\"{}\"", "x".repeat(40_000)).leak();
    let chunks = stream::iter([Ok(pack(&[large; 5]))]);
    let body = BodyStream::of_chunks(chunks.chain(stream::pending()));
    let mut texts = Streaming::<Json<String>>::decode(body, Codec::Json, Marshaller::payload(), Status::from);
    for _ in 0..5 {
        assert!(matches!(texts.next().now_or_never(), Some(Some(Ok(_)))));
        assert!(texts.more.len() <= 1, "{}", texts.more.len());
    }
}

#[test]
fn room_for_values_is_not_held_while_nothing_comes() {
    let mut numbers = numbers([pack(&["1", "2"])]);
    while next(&mut numbers).is_some() {}
    assert_eq!(numbers.more.capacity(), 0);
}

/// A handler may read some of what it hands on.
#[test]
fn values_that_are_handed_on_stay_in_order() {
    let mut numbers = numbers([pack(&["1", "2", "3"]), pack(&["4", "5"])]);
    assert_eq!(next(&mut numbers), Some(Ok(1)));
    let mut body = numbers.encode(Codec::Json, NUMBER, Status::from);
    let mut pack = Pack::new(Some(Credit::new()));
    let mut handed_on = Vec::new();
    while handed_on.len() < 4 {
        handed_on.extend(packed(&mut body, &mut pack));
    }
    let numbers = handed_on.into_iter().map(|item| Json::decode(Codec::Json, item));
    let numbers: Result<Vec<Json<u32>>, _> = numbers.collect();
    assert_eq!(numbers.unwrap(), [2, 3, 4, 5].map(Json));
}
