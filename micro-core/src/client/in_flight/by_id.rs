//! Hashing for ids that count up.

use std::hash::{BuildHasherDefault, Hasher};

/// Spreads numbers that we gave out ourselves, so that nobody can choose them to collide.
pub(super) type ById = BuildHasherDefault<IdHasher>;

#[derive(Debug, Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    /// A table looks at the highest and at the lowest bits, and a product is as good as chance in its upper half.
    fn write_u64(&mut self, id: u64) {
        let product = (self.0 ^ id).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = product ^ (product >> 32);
    }
}
