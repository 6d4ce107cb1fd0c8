//! The native encoding: what our own peers speak to each other. `docs/wire.md` specifies it.
//!
//! | file | has |
//! |---|---|
//! | `varint`, `known`, `content`, `frame`, `packet` | the bytes |
//! | `window`, `history`, `out`, `incoming` | the two sides of one end, without a network |
//! | `end`, `sender`, `receiver`, `socket` | one end on the network |
//! | `link`, `groups`, `home`, `spare` | what many ends share, and whether their peers are there |

mod breach;
mod content;
mod end;
mod frame;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod groups;
mod history;
mod home;
mod inbound;
mod incoming;
mod known;
mod link;
mod out;
mod packet;
mod receiver;
mod sender;
mod socket;
mod spare;
mod varint;
#[cfg(test)]
mod vectors;
mod window;

pub(crate) use breach::Breach;
pub(crate) use end::End;
pub(crate) use frame::{Frame, Reason};
pub(crate) use groups::Groups;
pub(crate) use home::Home;
pub(crate) use incoming::Way;
pub(crate) use link::Link;
pub(crate) use packet::{Packet, Unreadable, is_native, single};
pub(crate) use socket::Hold;
