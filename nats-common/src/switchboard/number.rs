//! How the numbers of mailboxes are spread in a table.

use std::hash::Hasher;

/// Makes a hash of a number. We count them up ourselves, so nobody can choose those that fall together.
#[derive(Default)]
pub(super) struct OwnNumber(u64);

impl Hasher for OwnNumber {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    /// The tables take the highest bits and the lowest: the multiplier, 2^64 by the golden ratio, spreads the former, and
    /// what follows brings them down.
    fn write_u64(&mut self, number: u64) {
        let product = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ (product >> 32);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn hash(number: u64) -> u64 {
        let mut hasher = OwnNumber::default();
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
