//! What one command began for another to go on with.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use parking_lot::Mutex;

pub(super) struct Named<T>(Mutex<HashMap<String, T>>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named(Mutex::default())
    }
}

impl<T> Named<T> {
    pub(super) fn put(&self, name: &str, thing: T) {
        self.0.lock().insert(name.to_owned(), thing);
    }

    pub(super) fn with<R>(&self, name: &str, look: impl FnOnce(&T) -> R) -> Result<R> {
        let things = self.0.lock();
        things
            .get(name)
            .map(look)
            .with_context(|| format!("nothing is called {name:?}"))
    }

    pub(super) fn take(&self, name: &str) -> Result<T> {
        let thing = self.0.lock().remove(name);
        thing.with_context(|| format!("nothing is called {name:?}"))
    }
}

impl<T: Clone> Named<T> {
    pub(super) fn get(&self, name: &str) -> Result<T> {
        let thing = self.0.lock().get(name).cloned();
        thing.with_context(|| format!("nothing is called {name:?}"))
    }
}
