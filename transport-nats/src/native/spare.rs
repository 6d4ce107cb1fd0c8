//! Memory of large messages, kept for the next ones for a moment: fresh memory costs more than what is copied into it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use parking_lot::Mutex;

/// How large a message is whose memory is worth keeping, in bytes.
const LARGE: usize = 1 << 20;

/// How many buffers are kept: mostly there is a question and its answer.
const KEPT: usize = 2;

/// What one transport keeps: [`KEPT`] buffers, until nobody has wanted one from one tick of its clock to the next.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    buffers: Mutex<Vec<Vec<u8>>>,
    wanted: AtomicBool,
}

impl Spare {
    /// An empty buffer for a message of that length, which has room already if there is one that fits.
    pub(crate) fn take(&self, length: u64) -> Vec<u8> {
        let Some(length) = usize::try_from(length).ok().filter(|length| *length >= LARGE) else {
            return Vec::new();
        };
        self.wanted.store(true, Ordering::Relaxed);
        let mut buffers = self.buffers.lock();
        // A small message is not to hold the room of a large one.
        let fits = |buffer: &Vec<u8>| buffer.capacity() <= 2 * length;
        let found = buffers.iter().position(fits);
        found.map_or_else(Vec::new, |found| buffers.swap_remove(found))
    }

    /// The bytes, whose memory comes back when nobody has them any more.
    pub(crate) fn lend(self: &Arc<Self>, buffer: Vec<u8>) -> Bytes {
        if buffer.capacity() < LARGE {
            return buffer.into();
        }
        let spare = Arc::downgrade(self);
        Bytes::from_owner(Lent { buffer, spare })
    }

    /// A tick of the clock has passed.
    pub(crate) fn tick(&self) {
        if !self.wanted.swap(false, Ordering::Relaxed) {
            let unwanted = std::mem::take(&mut *self.buffers.lock());
            drop(unwanted);
        }
    }

    fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut buffers = self.buffers.lock();
        if buffers.len() < KEPT {
            buffers.push(buffer);
        }
    }
}

/// Bytes in a buffer that comes back.
struct Lent {
    buffer: Vec<u8>,
    spare: Weak<Spare>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(spare) = self.spare.upgrade() {
            spare.give_back(std::mem::take(&mut self.buffer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of that length, as it is put together.
    fn message(spare: &Arc<Spare>, length: usize) -> Bytes {
        let mut buffer = spare.take(length as u64);
        assert!(buffer.is_empty());
        buffer.resize(length, 7);
        spare.lend(buffer)
    }

    fn kept(spare: &Spare) -> usize {
        spare.buffers.lock().len()
    }

    #[test]
    fn the_memory_of_a_large_message_serves_the_next() {
        let spare = Arc::new(Spare::default());
        let first = message(&spare, 2 * LARGE);
        let (part, place) = (first.slice(1..9), first.as_ptr());
        drop(first);
        assert_eq!(kept(&spare), 0);
        drop(part);
        assert_eq!(kept(&spare), 1);
        assert_eq!(message(&spare, LARGE).as_ptr(), place);
    }

    #[test]
    fn little_is_kept_and_not_for_long() {
        let spare = Arc::new(Spare::default());
        drop(message(&spare, LARGE - 1));
        assert_eq!(kept(&spare), 0);
        let many: Vec<_> = (0..2 * KEPT).map(|_| message(&spare, LARGE)).collect();
        drop(many);
        assert_eq!(kept(&spare), KEPT);
        spare.tick();
        assert_eq!(kept(&spare), KEPT);
        spare.tick();
        assert_eq!(kept(&spare), 0);
    }

    #[test]
    fn a_small_message_holds_no_room_of_a_large_one() {
        let spare = Arc::new(Spare::default());
        drop(message(&spare, 8 * LARGE));
        assert_eq!(spare.take(2 * LARGE as u64).capacity(), 0);
        assert!(spare.take(8 * LARGE as u64).capacity() >= 8 * LARGE);
    }

    #[test]
    fn what_was_lent_outlives_its_transport() {
        let spare = Arc::new(Spare::default());
        let lent = message(&spare, LARGE);
        drop(spare);
        assert!(lent.iter().all(|byte| *byte == 7));
    }
}
