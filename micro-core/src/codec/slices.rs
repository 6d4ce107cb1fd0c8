//! Values in one buffer.

/// How many bytes stand before a value.
pub(crate) const LENGTH: usize = 4;

/// Values in one buffer, each behind its length, in four bytes, the highest first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slices<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Slices<'a> {
    /// So many values, and what they lie in.
    pub(crate) fn new(rest: &'a [u8], left: usize) -> Self {
        Slices { rest, left }
    }

    /// How many are left.
    pub(crate) fn len(&self) -> usize {
        self.left
    }

    /// What they lie in.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Slices<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, behind) = self.rest.split_first_chunk::<LENGTH>()?;
        let (value, rest) = behind.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        self.rest = rest;
        self.left = self.left.saturating_sub(1);
        Some(value)
    }
}
