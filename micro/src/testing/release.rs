//! What a host gives up when it is killed.

use parking_lot::Mutex;

/// Something that a host holds of its backends, and that ends with the host.
pub(super) trait Release: Send + Sync {
    /// Gives it up, whoever else holds on to it.
    fn release(&self);
}

/// Something that may have been given up.
pub(super) type Held<T> = Mutex<Option<T>>;

impl<T: Send> Release for Held<T> {
    fn release(&self) {
        let released = self.lock().take();
        // What it does when it is dropped may come back here.
        drop(released);
    }
}
