//! Tables by ids that count up.

use std::hash::{BuildHasherDefault, Hasher};

/// Spreads numbers that were given out here, so that nobody can choose them to collide. Not for those that peers choose.
pub type ById = BuildHasherDefault<IdHasher>;

/// The hasher of [`ById`].
#[derive(Debug, Default)]
pub struct IdHasher(u64);

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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn hash(number: u64) -> u64 {
        let mut hasher = IdHasher::default();
        hasher.write_u64(number);
        hasher.finish()
    }

    #[test]
    fn numbers_that_follow_each_other_fall_apart() {
        for first in [0, 1 << 20, 1 << 40] {
            let hashes = || (first..first + 1024).map(hash);
            // Of random places there would be 647; the seven highest bits tell those of one place apart.
            let places: HashSet<_> = hashes().map(|hash| hash % 1024).collect();
            let marks: HashSet<_> = hashes().map(|hash| hash >> 57).collect();
            assert!(places.len() > 600, "{first}: {}", places.len());
            assert_eq!(marks.len(), 128, "{first}");
        }
    }
}
