//! Names that make series of metrics, of which there must not be any number.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use metrics::SharedString;
use parking_lot::RwLock;

use crate::observe::OTHER;
use crate::rpc::Code;

/// How many names of a sort are told apart in one process; all others are `_OTHER`.
const MOST: usize = 1000;

/// Services and endpoints.
pub(super) static METHODS: LazyLock<Names> = LazyLock::new(Names::default);

/// Topics of events.
pub(super) static TOPICS: LazyLock<Names> = LazyLock::new(Names::default);

/// The names of one sort that were told apart so far.
#[derive(Default)]
pub(super) struct Names(RwLock<HashSet<Arc<str>>>);

impl Names {
    /// A name, or that it is one too many.
    pub(super) fn name(&self, name: &Arc<str>) -> SharedString {
        if let Some(known) = self.known(name) {
            return known;
        }
        let mut names = self.0.write();
        if names.len() >= MOST && !names.contains(name) {
            return OTHER.into();
        }
        names.insert(name.clone());
        name.clone().into()
    }

    /// The name of a method whose call ended so. One that was never there is not noted: whoever passes on what others ask
    /// for would fill this with their mistakes.
    pub(super) fn of_call(&self, name: &Arc<str>, code: Code) -> SharedString {
        match code {
            Code::NotFound | Code::Unimplemented | Code::InvalidArgument => {
                self.known(name).unwrap_or(OTHER.into())
            }
            _ => self.name(name),
        }
    }

    fn known(&self, name: &Arc<str>) -> Option<SharedString> {
        let names = self.0.read();
        names.get(name).map(|known| known.clone().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded() {
        let names = Names::default();
        for number in 0..MOST {
            let name = Arc::from(number.to_string());
            assert_eq!(&*names.name(&name), number.to_string().as_str());
        }
        assert_eq!(&*names.name(&"more".into()), OTHER);
        assert_eq!(&*names.name(&"7".into()), "7");
    }

    #[test]
    fn what_was_never_there_makes_no_name() {
        let names = Names::default();
        let (real, junk) = ("a/A.B".into(), "a/A.Junk".into());
        assert_eq!(&*names.of_call(&real, Code::Ok), "a/A.B");
        assert_eq!(&*names.of_call(&real, Code::NotFound), "a/A.B");
        assert_eq!(&*names.of_call(&junk, Code::Unimplemented), OTHER);
        assert_eq!(names.0.read().len(), 1);
    }
}
