//! Streams of one connection: bytes in and out, by the session's numbers.

use quinn::{Connection, RecvStream, SendStream, VarInt};
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::close::Close;
use crate::frame::{Decoder, Frame, Kind};
use crate::session::{After, Heard, Stream, StreamSide};

/// The streams of one connection.
pub(super) struct Wire {
    connection: Connection,
    heard: mpsc::Sender<Heard>,
    takes: fn(StreamSide) -> &'static [Kind],
    streams: HashMap<Stream, Handle>,
}

/// Dropping it ends both tasks of a stream in good order: what was sent is sent, nothing more is read.
struct Handle {
    /// Frames to send; absent once the last is queued.
    frames: Option<mpsc::UnboundedSender<Write>>,
    /// Tells the reader to stop, with a reason where there is one.
    stop: oneshot::Sender<Close>,
}

enum Write {
    Frame(Frame),
    /// Held until this stream's writer ends: with its last frame written, or broken off.
    Hold(Arc<OwnedSemaphorePermit>),
    Reset(Close),
}

impl Wire {
    /// Wraps a connection. What is heard comes out of the receiver, at most [`HEARD_WAITING_MAX`] ahead of whoever reads it: the rest
    /// waits in QUIC's own windows, and so with the sender.
    pub(super) fn new(
        connection: Connection,
        takes: fn(StreamSide) -> &'static [Kind],
    ) -> (Self, mpsc::Receiver<Heard>) {
        let (heard, receiver) = mpsc::channel(HEARD_WAITING_MAX);
        (Self { connection, heard, takes, streams: HashMap::new() }, receiver)
    }

    /// Opens a stream with its first frame.
    pub(super) fn open(&mut self, stream: Stream, frame: Frame, after: After) {
        let side = if stream == Stream::CONTROL { StreamSide::Control } else { StreamSide::Ours };
        let (handle, frames, stopped) = handle();
        self.streams.insert(stream, handle);
        let (connection, heard, takes) = (self.connection.clone(), self.heard.clone(), (self.takes)(side));
        tokio::spawn(async move {
            // Waits while the other end allows no more streams; the session's deadline bounds that.
            if let Ok((send, receive)) = connection.open_bi().await {
                tokio::spawn(read(stream, receive, takes, heard, stopped));
                write(send, frames).await;
            }
        });
        self.send(stream, frame, after);
    }

    /// Takes in a stream that the other end opened.
    pub(super) fn accept(&mut self, stream: Stream, send: SendStream, receive: RecvStream) {
        let side = if stream == Stream::CONTROL { StreamSide::Control } else { StreamSide::Theirs };
        let (handle, frames, stopped) = handle();
        self.streams.insert(stream, handle);
        tokio::spawn(read(stream, receive, (self.takes)(side), self.heard.clone(), stopped));
        tokio::spawn(write(send, frames));
    }

    /// Queues a frame.
    pub(super) fn send(&mut self, stream: Stream, frame: Frame, after: After) {
        let Some(handle) = self.streams.get_mut(&stream) else { return };
        if let Some(frames) = &handle.frames {
            // A writer that has gone has told the reader's side; there is nobody left to write to.
            let _ = frames.send(Write::Frame(frame));
        }
        if after == After::Finish {
            handle.frames = None;
        }
    }

    /// Keeps a permit until the stream's last frame has been written, or the stream is broken off.
    pub(super) fn hold(&self, stream: Stream, permit: Arc<OwnedSemaphorePermit>) {
        if let Some(frames) = self.streams.get(&stream).and_then(|h| h.frames.as_ref()) {
            let _ = frames.send(Write::Hold(permit));
        }
    }

    /// Forgets a stream in good order.
    pub(super) fn done(&mut self, stream: Stream) {
        self.streams.remove(&stream);
    }

    /// Breaks a stream off.
    pub(super) fn abort(&mut self, stream: Stream, close: Close) {
        let Some(handle) = self.streams.remove(&stream) else { return };
        if let Some(frames) = handle.frames {
            let _ = frames.send(Write::Reset(close));
        }
        let _ = handle.stop.send(close);
    }

    /// Ends the connection.
    pub(super) fn end(&self, close: Close) {
        self.connection.close(VarInt::from_u32(close.number()), close.to_string().as_bytes());
    }
}

fn handle() -> (Handle, mpsc::UnboundedReceiver<Write>, oneshot::Receiver<Close>) {
    // Unbounded, since a session queues no more than the frames of the answers that it has been given, and a request's permit is
    // held until they are written; and of flights no more than one stream may have.
    let (frames, to_write) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel();
    (Handle { frames: Some(frames), stop }, to_write, stopped)
}

async fn write(mut send: SendStream, mut frames: mpsc::UnboundedReceiver<Write>) {
    let mut held = Vec::new();
    while let Some(next) = frames.recv().await {
        let bytes = match next {
            Write::Hold(permit) => {
                held.push(permit);
                continue;
            }
            Write::Frame(frame) => frame.encode().map_err(|e| e.close()),
            Write::Reset(close) => Err(close),
        };
        let written = match bytes {
            Ok(bytes) => within(WRITE_WITHIN, send.write_all(&bytes)).await,
            Err(close) => Err(close),
        };
        if let Err(close) = written {
            let _ = send.reset(VarInt::from_u32(close.number()));
            return;
        }
    }
    let _ = send.finish();
}

/// The other end must take a frame off our hands within the time, or it is one that never reads.
async fn within(
    limit: Duration,
    written: impl Future<Output = Result<(), quinn::WriteError>>,
) -> Result<(), Close> {
    match tokio::time::timeout(limit, written).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Close::GoingAway),
        Err(_) => Err(Close::TooSlow),
    }
}

async fn read(
    stream: Stream,
    mut receive: RecvStream,
    takes: &'static [Kind],
    heard: mpsc::Sender<Heard>,
    mut stopped: oneshot::Receiver<Close>,
) {
    let mut decoder = Decoder::new(takes);
    loop {
        let chunk = tokio::select! {
            stop = &mut stopped => {
                let number = stop.map_or(0, Close::number);
                let _ = receive.stop(VarInt::from_u32(number));
                return;
            }
            chunk = receive.read_chunk(READ_BYTES, true) => chunk,
        };
        let told = match chunk {
            Ok(Some(chunk)) => take_all(stream, &mut decoder, &chunk.bytes, &heard).await,
            Ok(None) if decoder.is_mid_frame() => end(stream, Some(Close::Malformed), &heard).await,
            Ok(None) => end(stream, None, &heard).await,
            Err(quinn::ReadError::Reset(number)) => {
                let why = Close::from_number(number.into_inner()).unwrap_or(Close::Unanswered);
                end(stream, Some(why), &heard).await
            }
            // The connection itself is gone, which the driver hears of elsewhere.
            Err(_) => Told::Last,
        };
        if told == Told::Last {
            return;
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Told {
    More,
    Last,
}

async fn take_all(stream: Stream, decoder: &mut Decoder, bytes: &[u8], heard: &mpsc::Sender<Heard>) -> Told {
    let mut rest = bytes;
    loop {
        let next = match decoder.take(&mut rest) {
            Ok(Some(frame)) => Heard::Frame(stream, frame),
            Ok(None) => return Told::More,
            Err(error) => Heard::Broken(stream, error),
        };
        let last = matches!(next, Heard::Broken(..));
        if heard.send(next).await.is_err() || last {
            return Told::Last;
        }
    }
}

async fn end(stream: Stream, why: Option<Close>, heard: &mpsc::Sender<Heard>) -> Told {
    let _ = heard.send(Heard::Ended(stream, why)).await;
    Told::Last
}

/// Most frames that wait for the session: it is quick, so few do.
const HEARD_WAITING_MAX: usize = 16;

/// Most bytes that are taken from a stream at once.
const READ_BYTES: usize = 64 * 1_024;

/// How long the other end may take to make room for one frame.
const WRITE_WITHIN: Duration = Duration::from_secs(60);
