//! What one message of a stream carries: an item, or a pack of them, each behind its length, in four bytes, the highest
//! first.

use bytes::Bytes;

use crate::codec::{LENGTH, Slices};
use crate::rpc::credit::Amount;

/// What one message of a stream carries.
#[derive(Clone, Debug)]
pub(crate) enum Chunk {
    One(Bytes),
    Many(Items),
}

impl Chunk {
    /// How many items there are, and what they take.
    pub(crate) fn amount(&self) -> Amount {
        let (items, bytes) = match self {
            Chunk::One(item) => (1, LENGTH + item.len()),
            Chunk::Many(items) => (items.left, items.bytes.len() - items.at),
        };
        Amount {
            items: items as u64,
            bytes: bytes as u64,
        }
    }

    /// Several items.
    pub(crate) fn pack(&self) -> Option<&Items> {
        match self {
            Chunk::One(_) => None,
            Chunk::Many(items) => Some(items),
        }
    }

    /// The first item.
    pub(crate) fn into_first(self) -> Option<Bytes> {
        match self {
            Chunk::One(item) => Some(item),
            Chunk::Many(mut items) => items.next(),
        }
    }
}

/// The items of a pack, one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Items {
    bytes: Bytes,
    at: usize,
    left: usize,
}

impl Items {
    /// Those of a pack that was just made.
    pub(super) fn new(bytes: Bytes, items: usize) -> Self {
        Items {
            bytes,
            at: 0,
            left: items,
        }
    }

    /// Reads a pack; `None` when it is none.
    pub(crate) fn open(bytes: Bytes) -> Option<Self> {
        let (mut rest, mut left) = (&bytes[..], 0);
        while !rest.is_empty() {
            let (length, behind) = rest.split_first_chunk::<LENGTH>()?;
            rest = behind.get(u32::from_be_bytes(*length) as usize..)?;
            left += 1;
        }
        (left > 0).then(|| Items::new(bytes, left))
    }

    /// As they travel, without those that were read.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.bytes.slice(self.at..)
    }

    /// Whether all were read.
    pub(crate) fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Reads some, as parts of the pack.
    pub(crate) fn read<T>(&mut self, read: impl FnOnce(&mut Slices<'_>) -> T) -> T {
        let mut slices = Slices::new(self.bytes.get(self.at..).unwrap_or_default(), self.left);
        let value = read(&mut slices);
        (self.at, self.left) = (self.bytes.len() - slices.rest().len(), slices.len());
        value
    }

    /// The next item.
    pub(crate) fn next(&mut self) -> Option<Bytes> {
        let before = self.at;
        let length = self.read(|items| items.next().map(<[u8]>::len))?;
        Some(self.bytes.slice(before + LENGTH..before + LENGTH + length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_gives_its_items_in_order() {
        let mut items = Items::open(Bytes::from_static(b"\0\0\0\x03one\0\0\0\0\0\0\0\x05three")).unwrap();
        assert_eq!(items.left, 3);
        items.read(|items| assert_eq!(items.next(), Some(&b"one"[..])));
        assert_eq!(items.next().unwrap(), "");
        assert_eq!(Chunk::Many(items).amount(), Amount { items: 1, bytes: 9 });
        let mut items = Items::open(Bytes::from_static(b"\0\0\0\0\0\0\0\x05three")).unwrap();
        items.next();
        assert_eq!(&items.into_bytes()[..], b"\0\0\0\x05three");
    }

    #[test]
    fn a_length_that_lies_makes_no_pack() {
        let bytes = b"\0\0\0\x03one\0\0\0\x05three";
        for end in 0..bytes.len() {
            let opened = Items::open(Bytes::from_static(&bytes[..end]));
            assert_eq!(opened.is_some(), end == 7, "{end}");
        }
        assert!(Items::open(Bytes::from_static(&[0xff; 8])).is_none());
        assert!(Items::open(Bytes::new()).is_none());
    }
}
