//! The contract for synchronous sockets: dial, listen, accept, send, receive.

use std::fmt;

use async_trait::async_trait;

use crate::address::Address;
use crate::error::Result;

mod capabilities;
mod close;
mod listener;
mod options;
mod receiver;
mod sender;
mod socket;

pub use capabilities::TransportCapabilities;
pub use close::CloseSignal;
pub use listener::Listener;
pub use options::{DialOptions, ListenOptions};
pub use receiver::SocketReceiver;
pub use sender::SocketSender;
pub use socket::Socket;

/// A value that exists works: constructing it has connected it.
///
/// # Behavior
/// The clauses of `micro_conformance::transport`, by name, less what [`TransportCapabilities`] exclude:
/// - Messages: `messages_arrive_in_order`, `headers_and_body_arrive_unchanged`,
///   `a_message_at_the_limit_arrives`, `a_message_above_the_limit_is_resource_exhausted`,
///   `messages_fed_and_flushed_once_arrive`, `both_ends_send_at_once`, `halves_work_apart`,
///   `a_peer_of_which_nothing_is_known_is_understood`
/// - Sizes: `messages_of_every_size_around_each_limit_arrive`, `a_large_message_holds_up_only_its_own_socket`
/// - Addresses: `every_listener_has_an_address_of_its_own`, `a_given_address_is_listened_on`,
///   `a_taken_address_is_refused`, `an_address_with_a_wildcard_is_invalid_argument`,
///   `a_ready_listener_is_reached_at_once`, `each_end_names_the_other`, `dial_to_nobody_is_unavailable`,
///   `a_message_to_nobody_is_undelivered`, `a_cancelled_accept_loses_no_socket`,
///   `a_dropped_listener_frees_its_address`, `a_closed_listener_is_unavailable`,
///   `sockets_that_nobody_accepted_are_closed`, `a_socket_beyond_the_backlog_is_refused`,
///   `peers_of_which_something_and_nothing_is_known_share_a_listener`, `an_accepted_socket_outlives_its_listener`
/// - Ends: `peer_close_ends_recv`, `peer_drop_ends_recv`, `what_was_sent_before_close_is_delivered`,
///   `what_was_sent_before_drop_is_delivered`, `what_was_sent_is_delivered_by_a_peer_that_did_not_read`,
///   `a_half_closed_socket_still_receives`, `dropping_the_sender_closes_half`,
///   `sending_after_finish_is_closed`, `finish_may_be_awaited_again`, `sending_to_a_closed_peer_fails`,
///   `undelivered_is_never_overstated`
/// - Who sends nothing: `closed_tells_that_the_peer_closed`, `closed_tells_that_nobody_reads`,
///   `closed_waits_while_the_peer_reads`, `closed_ends_with_its_own_half`, `a_cancelled_closed_may_be_asked_again`
/// - Pressure: `sockets_of_one_listener_are_apart`, `a_thousand_sockets_talk_at_once`,
///   `ten_thousand_sockets_are_open_at_once`, `a_cancelled_recv_loses_nothing`, `a_cancelled_send_is_whole_or_nothing`,
///   `a_slow_reader_slows_its_writer`, `what_waits_for_a_slow_reader_is_bounded`, `a_slow_reader_does_not_stall_its_neighbour`,
///   `a_reader_that_falls_behind_is_told`
/// - Faults below: `a_lost_message_is_an_error_and_no_hang`, `a_killed_peer_ends_every_wait_for_it`,
///   `a_restart_in_the_middle_of_a_stream_is_an_error`
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// The name by which a flag chooses it.
    fn name(&self) -> &'static str;

    /// What this backend can and cannot do.
    fn capabilities(&self) -> TransportCapabilities;

    /// Opens an address for others to dial. When this returns, whoever dials it reaches it.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`](crate::ErrorKind::AlreadyExists) when the address is taken (where the backend
    /// can know), [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when it cannot be listened on.
    async fn listen(&self, options: ListenOptions) -> Result<Listener>;

    /// Opens a socket to an address. May cost nothing: some backends first say who is there when you send.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when it is known that nobody listens.
    ///
    /// # Cancel safety
    /// Dropping the future leaves no socket behind.
    async fn dial(&self, address: &Address, options: DialOptions) -> Result<Socket>;
}
