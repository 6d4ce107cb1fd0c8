use std::task::Waker;

use super::*;
use crate::error::{Error, ErrorKind};
use crate::rpc::credit::INITIAL;

fn packed(items: &[&'static [u8]]) -> Pack {
    let mut pack = Pack::new(Some(Credit::new()));
    pack.most = 100;
    assert!(room(&mut pack));
    for item in items {
        pack.push(Bytes::from_static(item));
    }
    pack
}

fn room(pack: &mut Pack) -> bool {
    pack.poll_room(&mut Context::from_waker(Waker::noop())).is_ready()
}

fn carried(chunk: Chunk) -> Vec<Bytes> {
    match chunk {
        Chunk::One(item) => vec![item],
        Chunk::Many(mut items) => std::iter::from_fn(|| items.next()).collect(),
    }
}

#[test]
fn a_pack_is_items_behind_their_lengths() {
    let Some(Chunk::Many(items)) = packed(&[b"one", b"", b"three"]).take() else {
        panic!("no pack")
    };
    let bytes = items.into_bytes();
    assert_eq!(&bytes[..], b"\0\0\0\x03one\0\0\0\0\0\0\0\x05three");
    let items = Items::open(bytes).unwrap();
    assert_eq!(carried(Chunk::Many(items)), ["one", "", "three"]);
}

#[test]
fn one_item_travels_as_it_is() {
    let mut pack = packed(&[b"one"]);
    assert!(matches!(pack.take(), Some(Chunk::One(item)) if item == "one"));
    assert!(pack.is_empty() && pack.take().is_none());
}

#[test]
fn a_large_item_travels_alone_and_in_its_place() {
    static LARGE_ITEM: [u8; LARGE] = [7; LARGE];
    for written in [false, true] {
        let mut pack = packed(&[b"one", b"two"]);
        match written {
            false => pack.push(Bytes::from_static(&LARGE_ITEM)),
            true => pack
                .write(|out| {
                    out.extend_from_slice(&LARGE_ITEM);
                    Ok(())
                })
                .unwrap(),
        }
        assert!(pack.is_full());
        assert_eq!(carried(pack.take().unwrap()), ["one", "two"]);
        assert_eq!(carried(pack.take().unwrap()), [&LARGE_ITEM[..]]);
        assert!(pack.take().is_none());
    }
}

#[test]
fn what_could_not_be_written_leaves_nothing_behind() {
    let mut pack = packed(&[b"one", b"two"]);
    let failed = pack.write(|out| {
        out.extend_from_slice(b"half of i");
        Err(Error::new(ErrorKind::Malformed, "no"))
    });
    assert!(failed.is_err());
    pack.push(Bytes::from_static(b"three"));
    assert_eq!(carried(pack.take().unwrap()), ["one", "two", "three"]);
}

#[test]
fn a_pack_grows_while_items_are_at_hand_and_never_without_leave() {
    for (credit, expected) in [(Some(Credit::new()), [1, 2, 4, 8]), (None, [1; 4])] {
        let mut pack = Pack::new(credit);
        let taken = std::array::from_fn(|_| {
            assert!(room(&mut pack));
            pack.filling(|pack| {
                while !pack.is_full() {
                    pack.push(Bytes::from_static(b"item"));
                }
            });
            pack.take().unwrap().amount().items
        });
        assert_eq!(taken, expected);
    }
}

#[test]
fn no_more_is_taken_than_is_allowed() {
    // The last of the larger ones begins within the limit, and takes more.
    for (item, expected) in [(&b"item"[..], INITIAL.items), (&[0; 2045], 32)] {
        let credit = Credit::new();
        let mut pack = Pack::new(Some(credit.clone()));
        assert_eq!(filled(&mut pack, item), expected);
        credit.raise(INITIAL.plus(INITIAL));
        assert_eq!(filled(&mut pack, item), expected);
    }
}

fn filled(pack: &mut Pack, item: &'static [u8]) -> u64 {
    let mut taken = 0;
    while room(pack) {
        pack.filling(|pack| {
            while !pack.is_full() {
                pack.push(Bytes::from_static(item));
            }
        });
        taken += pack.take().unwrap().amount().items;
    }
    taken
}

#[test]
fn an_item_that_takes_its_time_waits_for_no_other() {
    let mut pack = Pack::new(Some(Credit::new()));
    pack.most = 2;
    pack.filling(|pack| {
        pack.push(Bytes::from_static(b"item"));
        std::thread::sleep(HELD * 2);
    });
    assert_eq!(pack.most, 1);
    assert!(pack.is_full());
}
