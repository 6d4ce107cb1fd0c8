//! What a transport can and cannot do.

/// What a transport can and cannot do. Suites skip the clauses that a backend excludes here.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TransportCapabilities {
    /// A slow reader slows its writer. Without it, a reader that falls too far behind gets an error.
    pub flow_control: bool,
    /// Who sends nothing learns all the same that its peer reads no more: see
    /// [`SocketSender::closed`](super::SocketSender::closed).
    pub close_notice: bool,
    /// A message that is lost on its way ends its socket with an error, and what follows it is not handed out.
    pub loss_notice: bool,
    /// A second listener on a taken address is refused.
    pub exclusive_addresses: bool,
    /// The largest message, in bytes of [`Message::size`](crate::Message::size); `None` when only memory bounds it.
    pub max_message_size: Option<usize>,
}

impl TransportCapabilities {
    /// A slow reader slows its writer.
    #[must_use]
    pub fn with_flow_control(mut self) -> Self {
        self.flow_control = true;
        self
    }

    /// Who sends nothing learns all the same that its peer reads no more.
    #[must_use]
    pub fn with_close_notice(mut self) -> Self {
        self.close_notice = true;
        self
    }

    /// A message that is lost on its way ends its socket with an error.
    #[must_use]
    pub fn with_loss_notice(mut self) -> Self {
        self.loss_notice = true;
        self
    }

    /// A second listener on a taken address is refused.
    #[must_use]
    pub fn with_exclusive_addresses(mut self) -> Self {
        self.exclusive_addresses = true;
        self
    }

    /// Larger messages are refused before anything is sent.
    #[must_use]
    pub fn with_max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = Some(bytes);
        self
    }
}
