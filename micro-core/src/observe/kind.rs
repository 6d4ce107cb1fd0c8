//! Which of the four sorts of work is observed.

use crate::rpc::Code;

/// What is observed, in OpenTelemetry's kinds of spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Client,
    Server,
    Producer,
    Consumer,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Client => "client",
            Kind::Server => "server",
            Kind::Producer => "producer",
            Kind::Consumer => "consumer",
        }
    }

    /// The attribute that says which system of its sort this is.
    pub(super) fn system(self) -> &'static str {
        match self.is_rpc() {
            true => "rpc.system.name",
            false => "messaging.system",
        }
    }

    pub(super) fn is_rpc(self) -> bool {
        matches!(self, Kind::Client | Kind::Server)
    }

    /// Whether it came from elsewhere.
    pub(super) fn is_incoming(self) -> bool {
        matches!(self, Kind::Server | Kind::Consumer)
    }

    /// Whether a code says that something is wrong. A server that refuses what its caller should not have asked for is
    /// well, as OpenTelemetry's conventions for gRPC have it.
    pub(super) fn is_error(self, code: Code) -> bool {
        match self {
            Kind::Server => matches!(
                code,
                Code::Unknown
                    | Code::DeadlineExceeded
                    | Code::Unimplemented
                    | Code::Internal
                    | Code::Unavailable
                    | Code::DataLoss
            ),
            Kind::Client | Kind::Producer | Kind::Consumer => code != Code::Ok,
        }
    }
}
