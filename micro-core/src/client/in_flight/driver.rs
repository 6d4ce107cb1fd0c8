//! How the driver of a socket learns that there is something to do.

use std::task::Waker;

/// How the driver is reached.
#[derive(Debug, Default)]
pub(super) struct Driver {
    waker: Option<Waker>,
    /// It will look at the table again by itself.
    awake: bool,
    /// It lets others run before it looks.
    pub(super) yields: bool,
}

impl Driver {
    /// Notes that the driver has looked at the table, and whether it will again by itself.
    pub(super) fn look(&mut self, waker: &Waker, again: bool) {
        self.awake = again;
        match &mut self.waker {
            Some(known) => known.clone_from(waker),
            None => self.waker = Some(waker.clone()),
        }
    }

    /// Whether it waits until it is woken.
    pub(super) fn sleeps(&self) -> bool {
        self.waker.is_some() && !self.awake
    }

    /// What wakes it, when it will not look by itself.
    pub(super) fn rouse(&mut self) -> Option<Waker> {
        match std::mem::replace(&mut self.awake, true) {
            true => None,
            false => self.waker.clone(),
        }
    }

    /// What wakes it, when it will not look by itself, or lets others run before.
    pub(super) fn hurry(&mut self) -> Option<Waker> {
        match std::mem::take(&mut self.yields) {
            true => self.waker.clone(),
            false => self.rouse(),
        }
    }
}
