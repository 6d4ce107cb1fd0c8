//! Messages as bytes: a length, the length of the headers, the headers as JSON, the body.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::{Sink, SinkExt};
use micro_core::{Error, ErrorKind, Headers, Message};
use tokio::io::DuplexStream;
use tokio_util::codec::{Decoder, Encoder, FramedWrite, LengthDelimitedCodec};

pub(super) const MAX_MESSAGE: usize = 8 << 20;

pub(super) struct Frames(LengthDelimitedCodec);

impl Frames {
    pub(super) fn new() -> Self {
        // JSON writes some characters as six.
        let max = 6 * MAX_MESSAGE;
        Frames(LengthDelimitedCodec::builder().max_frame_length(max).new_codec())
    }
}

/// The sink of a socket: what was fed is written with the next flush.
pub(super) struct Outgoing(FramedWrite<DuplexStream, Frames>);

impl Outgoing {
    pub(super) fn new(pipe: DuplexStream) -> Self {
        Outgoing(FramedWrite::new(pipe, Frames::new()))
    }
}

// A socket outlives a refused message, so the adapters that end with the first error (`sink_map_err`) are no use here.
impl Sink<Message> for Outgoing {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready_unpin(cx).map_err(Failure::on_send)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.0.start_send_unpin(message).map_err(Failure::on_send)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        SinkExt::<Message>::poll_flush_unpin(&mut self.0, cx).map_err(Failure::on_send)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        SinkExt::<Message>::poll_close_unpin(&mut self.0, cx).map_err(Failure::on_send)
    }
}

/// What the codec needs beside our error: a way to make one of what the stream reports.
pub(super) struct Failure(pub(super) Error);

impl Failure {
    fn on_send(self) -> Error {
        self.0.with_operation("send")
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure(Error::closed("the pipe is broken").with_source(error))
    }
}

fn malformed(message: &str) -> Failure {
    Failure(Error::new(ErrorKind::Malformed, message))
}

impl Encoder<Message> for Frames {
    type Error = Failure;

    fn encode(&mut self, message: Message, out: &mut BytesMut) -> Result<(), Failure> {
        if message.size() > MAX_MESSAGE {
            let error = Error::new(ErrorKind::ResourceExhausted, "the message is too large");
            return Err(Failure(error.with_context("limit", MAX_MESSAGE)));
        }
        let headers = message.headers.iter().collect::<Vec<_>>();
        let headers = serde_json::to_vec(&headers).map_err(io::Error::from)?;
        let mut frame = BytesMut::with_capacity(4 + headers.len() + message.body.len());
        frame.put_u32(headers.len() as u32);
        frame.put_slice(&headers);
        frame.put_slice(&message.body);
        Ok(self.0.encode(frame.freeze(), out)?)
    }
}

impl Decoder for Frames {
    type Item = Message;
    type Error = Failure;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Message>, Failure> {
        match self.0.decode(bytes)? {
            Some(frame) => message(frame.freeze()).map(Some),
            None => Ok(None),
        }
    }
}

fn message(mut frame: Bytes) -> Result<Message, Failure> {
    let length = frame
        .try_get_u32()
        .map_err(|_| malformed("a frame without a head"))? as usize;
    if length > frame.len() {
        return Err(malformed("a frame shorter than its headers"));
    }
    let headers = serde_json::from_slice::<Vec<(String, String)>>(&frame.split_to(length));
    let headers = headers.map_err(|_| malformed("headers that are none"))?;
    Ok(Message {
        headers: Headers::from_iter(headers),
        body: frame,
    })
}
