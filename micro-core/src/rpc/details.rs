//! Details of a status, as a type that both ends know.

use super::Status;
use crate::codec::Payload;
use crate::error::Result;

impl Status {
    /// Adds details of a type that both ends know, in the codec that its values are sent as by default; see
    /// [`detail`](Status::detail).
    ///
    /// They travel in a header: keep them below some kilobytes.
    ///
    /// ```
    /// use micro_core::{Json, Status};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Debug, PartialEq, Serialize, Deserialize)]
    /// struct Shortage {
    ///     wanted: u32,
    ///     left: u32,
    /// }
    ///
    /// // The handler:
    /// fn take(wanted: u32, left: u32) -> Result<u32, Status> {
    ///     match left.checked_sub(wanted) {
    ///         Some(rest) => Ok(rest),
    ///         None => Err(Status::failed_precondition("not enough").with_detail(&Json(Shortage { wanted, left }))?),
    ///     }
    /// }
    ///
    /// // The caller:
    /// let status = take(3, 1).unwrap_err();
    /// let shortage: Option<Json<Shortage>> = status.detail()?;
    /// assert_eq!(shortage, Some(Json(Shortage { wanted: 3, left: 1 })));
    /// # Ok::<(), micro_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Payload::encode`].
    pub fn with_detail<P: Payload>(self, detail: &P) -> Result<Self> {
        detail.encode(P::CODEC).map(|details| self.with_details(details))
    }

    /// The details, as the type that [`with_detail`](Status::with_detail) was given; `None` where there are none.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) when the details are something else.
    pub fn detail<P: Payload>(&self) -> Result<Option<P>> {
        let details = self.details();
        if details.is_empty() {
            return Ok(None);
        }
        P::decode(P::CODEC, details.clone()).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use crate::codec::Json;
    use crate::error::ErrorKind;
    use crate::rpc::Status;

    #[test]
    fn details_come_back_as_what_they_were() {
        let status = Status::not_found("gone").with_detail(&Json(vec![1, 2])).unwrap();
        assert_eq!(status.detail().unwrap(), Some(Json(vec![1, 2])));
        assert_eq!(status.message(), "gone");
    }

    #[test]
    fn no_details_are_no_mistake() {
        assert_eq!(Status::not_found("gone").detail::<Json<u8>>().unwrap(), None);
    }

    #[test]
    fn details_of_another_type_are_malformed() {
        let status = Status::not_found("gone").with_details("[");
        let error = status.detail::<Json<u8>>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed);
    }
}
