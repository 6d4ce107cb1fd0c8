//! The numbers of the types. `docs/wire.md` has the same.

pub(super) const HELLO: u8 = 0x01;
pub(super) const MESSAGE: u8 = 0x02;
pub(super) const FIRST: u8 = 0x03;
pub(super) const MORE: u8 = 0x04;
pub(super) const CREDIT: u8 = 0x05;
pub(super) const FIN: u8 = 0x06;
pub(super) const STOP: u8 = 0x07;
pub(super) const RESET: u8 = 0x08;
pub(super) const GOAWAY: u8 = 0x09;
pub(super) const PING: u8 = 0x0a;
pub(super) const PONG: u8 = 0x0b;
pub(super) const SOCKET: u8 = 0x0c;

/// From this type on, a frame that is not known is passed over.
pub(super) const OPTIONAL_FROM: u8 = 0x40;
