//! gRPC's codes, and what they are in HTTP's numbers, which go-micro uses.

use std::fmt;

/// Why a call ended, in gRPC's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "these are gRPC's, documented there and at the constructors of Status"
)]
pub enum Code {
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

/// Code, gRPC's name, HTTP's number, and HTTP's text. The first row of a number is what that number means.
///
/// The numbers are those of go-micro's `errors` package where it has one (408 for a timeout), else those of
/// the gRPC gateway.
const TABLE: [(Code, &str, i32, &str); 17] = [
    (Code::Ok, "OK", 200, "OK"),
    (Code::InvalidArgument, "INVALID_ARGUMENT", 400, "Bad Request"),
    (
        Code::FailedPrecondition,
        "FAILED_PRECONDITION",
        400,
        "Bad Request",
    ),
    (Code::OutOfRange, "OUT_OF_RANGE", 400, "Bad Request"),
    (Code::Unauthenticated, "UNAUTHENTICATED", 401, "Unauthorized"),
    (Code::PermissionDenied, "PERMISSION_DENIED", 403, "Forbidden"),
    (Code::NotFound, "NOT_FOUND", 404, "Not Found"),
    (
        Code::DeadlineExceeded,
        "DEADLINE_EXCEEDED",
        408,
        "Request Timeout",
    ),
    (Code::AlreadyExists, "ALREADY_EXISTS", 409, "Conflict"),
    (Code::Aborted, "ABORTED", 409, "Conflict"),
    (
        Code::ResourceExhausted,
        "RESOURCE_EXHAUSTED",
        429,
        "Too Many Requests",
    ),
    (Code::Cancelled, "CANCELLED", 499, "Client Closed Request"),
    (Code::Internal, "INTERNAL", 500, "Internal Server Error"),
    (Code::Unknown, "UNKNOWN", 500, "Internal Server Error"),
    (Code::DataLoss, "DATA_LOSS", 500, "Internal Server Error"),
    (Code::Unimplemented, "UNIMPLEMENTED", 501, "Not Implemented"),
    (Code::Unavailable, "UNAVAILABLE", 503, "Service Unavailable"),
];

impl Code {
    /// gRPC's name, such as `NOT_FOUND`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The number HTTP has for it, and the text that goes with it on the wire.
    ///
    /// Where several codes share a number, all but the first are told apart by gRPC's name in place of the text.
    pub(crate) fn to_http(self) -> (i32, &'static str) {
        let &(_, name, number, text) = self.row();
        let first = TABLE.iter().find(|row| row.2 == number).map(|row| row.0);
        if first == Some(self) {
            (number, text)
        } else {
            (number, name)
        }
    }

    /// The code that an HTTP number and its text stand for.
    pub(crate) fn from_http(number: i32, text: &str) -> Code {
        let exact = TABLE.iter().find(|row| row.2 == number && row.1 == text);
        match exact.or_else(|| TABLE.iter().find(|row| row.2 == number)) {
            Some(row) => row.0,
            None => Code::from_class(number),
        }
    }

    fn from_class(number: i32) -> Code {
        match number {
            405 => Code::Unimplemented,
            412 => Code::FailedPrecondition,
            502 => Code::Unavailable,
            504 => Code::DeadlineExceeded,
            _ => Code::Unknown,
        }
    }

    fn row(self) -> &'static (Code, &'static str, i32, &'static str) {
        TABLE.iter().find(|row| row.0 == self).unwrap_or(&TABLE[13])
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_http() {
        for &(code, ..) in &TABLE {
            let (number, text) = code.to_http();
            assert_eq!(Code::from_http(number, text), code);
        }
    }

    #[test]
    fn a_number_alone_means_the_first_code_that_has_it() {
        assert_eq!(Code::from_http(500, "Internal Server Error"), Code::Internal);
        assert_eq!(Code::from_http(409, ""), Code::AlreadyExists);
        assert_eq!(Code::from_http(418, ""), Code::Unknown);
    }
}
