//! Memory of large messages, and of large packets, kept for the next ones for a moment: fresh memory costs more than what
//! is copied into it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use parking_lot::Mutex;

/// What is kept.
#[derive(Debug)]
struct Kept {
    /// How many bytes one has at least: smaller ones are not worth it.
    large: usize,
    /// How many buffers.
    most: usize,
}

/// Of messages: mostly there is a question and its answer.
const MESSAGES: Kept = Kept {
    large: 1 << 20,
    most: 2,
};

/// Of packets: a window of them leaves at once. Larger than what small messages are gathered to.
const PACKETS: Kept = Kept {
    large: 128 << 10,
    most: 8,
};

/// What one transport keeps: a few buffers, until nobody has wanted one from one tick of its clock to the next.
#[derive(Debug)]
pub(crate) struct Spare {
    keeps: Kept,
    buffers: Mutex<Vec<Vec<u8>>>,
    wanted: AtomicBool,
}

impl Spare {
    /// For messages.
    pub(crate) fn messages() -> Arc<Self> {
        Spare::new(MESSAGES)
    }

    /// For packets.
    pub(crate) fn packets() -> Arc<Self> {
        Spare::new(PACKETS)
    }

    fn new(keeps: Kept) -> Arc<Self> {
        Arc::new(Spare {
            keeps,
            buffers: Mutex::default(),
            wanted: AtomicBool::new(false),
        })
    }

    /// An empty buffer for so many bytes, which has room already if there is one that fits.
    pub(crate) fn take(&self, length: u64) -> Vec<u8> {
        let Some(length) = usize::try_from(length)
            .ok()
            .filter(|length| *length >= self.keeps.large)
        else {
            return Vec::new();
        };
        self.wanted.store(true, Ordering::Relaxed);
        let mut buffers = self.buffers.lock();
        // What has too little would be copied when it grows, and a small message is not to hold the room of a large one.
        let fits = |buffer: &Vec<u8>| (length..=2 * length).contains(&buffer.capacity());
        // What came back last is nearest at hand.
        let found = buffers.iter().rposition(fits);
        found.map_or_else(Vec::new, |found| buffers.swap_remove(found))
    }

    /// The bytes, whose memory comes back when nobody has them any more.
    pub(crate) fn lend(self: &Arc<Self>, buffer: Vec<u8>) -> Bytes {
        if buffer.len() < self.keeps.large {
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
        if buffers.len() < self.keeps.most {
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

    const LARGE: usize = MESSAGES.large;
    const KEPT: usize = MESSAGES.most;

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
        let spare = Spare::messages();
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
        let spare = Spare::messages();
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
        let spare = Spare::messages();
        drop(message(&spare, 8 * LARGE));
        assert_eq!(spare.take(2 * LARGE as u64).capacity(), 0);
        assert!(spare.take(8 * LARGE as u64).capacity() >= 8 * LARGE);
    }

    #[test]
    fn a_window_of_packets_serves_the_next() {
        let spare = Spare::packets();
        let many = |count| -> Vec<_> { (0..count).map(|_| message(&spare, PACKETS.large)).collect() };
        drop(many(2 * PACKETS.most));
        assert_eq!(kept(&spare), PACKETS.most);
        let next = many(PACKETS.most);
        assert_eq!(kept(&spare), 0);
        drop(next);
        assert_eq!(kept(&spare), PACKETS.most);
    }

    #[test]
    fn what_was_lent_outlives_its_transport() {
        let spare = Spare::messages();
        let lent = message(&spare, LARGE);
        drop(spare);
        assert!(lent.iter().all(|byte| *byte == 7));
    }
}
