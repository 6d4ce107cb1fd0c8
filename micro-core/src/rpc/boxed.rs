//! What middleware fails with, as a status.

use std::error::Error as StdError;

use tower::BoxError;
use tower::load_shed::error::Overloaded;
use tower::timeout::error::Elapsed;

use crate::error::Error;
use crate::rpc::Status;

/// What an error of middleware says, or what it is caused by: a status or an error of ours as it is, the `Elapsed` of
/// tower's `timeout` as `DeadlineExceeded`, the `Overloaded` of its `load_shed` as `ResourceExhausted` that was never
/// delivered, and anything else as `Internal`.
impl From<BoxError> for Status {
    fn from(error: BoxError) -> Self {
        let error = match error.downcast::<Status>() {
            Ok(status) => return *status,
            Err(error) => error,
        };
        match error.downcast::<Error>() {
            Ok(error) => Status::from(*error),
            Err(error) => caused(&*error).unwrap_or_else(|| Status::internal(error.to_string())),
        }
    }
}

/// The first of an error and its causes that says what a caller can act on.
fn caused(error: &(dyn StdError + 'static)) -> Option<Status> {
    known(error).or_else(|| caused(error.source()?))
}

fn known(error: &(dyn StdError + 'static)) -> Option<Status> {
    if let Some(status) = error.downcast_ref::<Status>() {
        return Some(status.clone());
    }
    if error.is::<Elapsed>() {
        return Some(Status::deadline_exceeded("it took longer than a layer lets it"));
    }
    let full = || Status::resource_exhausted("no more requests are let in at once");
    error.is::<Overloaded>().then(|| full().never_delivered())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::rpc::Code;

    fn status(error: impl Into<BoxError>) -> Status {
        Status::from(error.into())
    }

    #[derive(Debug)]
    struct Wrapped(BoxError);

    impl std::fmt::Display for Wrapped {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("wrapped")
        }
    }

    impl StdError for Wrapped {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&*self.0)
        }
    }

    #[test]
    fn what_is_a_status_stays_as_it_is() {
        let denied = Status::permission_denied("no").with_details("why");
        assert_eq!(status(denied.clone()), denied);
        assert_eq!(status(Wrapped(denied.clone().into())), denied);
        let error = Error::new(ErrorKind::NotFound, "nothing");
        assert_eq!(status(error).code(), Code::NotFound);
    }

    #[test]
    fn the_errors_of_tower_are_what_callers_can_act_on() {
        assert_eq!(status(Elapsed::new()).code(), Code::DeadlineExceeded);
        assert!(!status(Elapsed::new()).is_never_delivered());
        for full in [
            status(Overloaded::new()),
            status(Wrapped(Overloaded::new().into())),
        ] {
            assert_eq!(full.code(), Code::ResourceExhausted);
            assert!(full.is_never_delivered());
        }
        assert_eq!(status("anything").code(), Code::Internal);
    }
}
