//! Frames out of bytes that come in pieces.

use std::fmt;

use super::{Frame, FrameError, HEADER_BYTES, Kind, check_length};

/// Takes bytes as they come and gives frames. Holds at most one frame of a kind that it was told to take, so its memory is
/// bounded by the longest of those.
#[derive(Debug)]
pub struct Decoder {
    takes: &'static [Kind],
    header: Vec<u8>,
    body: Option<Partial>,
}

struct Partial {
    kind: Kind,
    length: usize,
    bytes: Vec<u8>,
}

impl Decoder {
    /// A decoder that takes frames of these kinds, and CLOSE.
    #[must_use]
    pub const fn new(takes: &'static [Kind]) -> Self {
        Self { takes, header: Vec::new(), body: None }
    }

    /// Takes bytes off the front of `input` until one frame is whole or `input` is empty.
    ///
    /// # Errors
    /// [`FrameError`]; after one, nothing more can be read from this stream.
    pub fn take(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, FrameError> {
        let mut partial = match self.body.take() {
            Some(partial) => partial,
            None => match self.take_header(input)? {
                Some(partial) => partial,
                None => return Ok(None),
            },
        };
        let missing = partial.length.saturating_sub(partial.bytes.len());
        partial.extend(split_off(input, missing));
        if partial.bytes.len() < partial.length {
            self.body = Some(partial);
            return Ok(None);
        }
        Frame::decode(partial.kind, &partial.bytes).map(Some)
    }

    /// Whether the bytes so far end in the middle of a frame.
    #[must_use]
    pub fn is_mid_frame(&self) -> bool {
        self.body.is_some() || !self.header.is_empty()
    }

    /// Bytes held for a frame that is not whole yet.
    #[must_use]
    pub fn bytes_held(&self) -> usize {
        self.header.capacity() + self.body.as_ref().map_or(0, |p| p.bytes.capacity())
    }

    fn take_header(&mut self, input: &mut &[u8]) -> Result<Option<Partial>, FrameError> {
        let missing = HEADER_BYTES - self.header.len();
        self.header.extend_from_slice(split_off(input, missing));
        let Ok(header) = <[u8; HEADER_BYTES]>::try_from(self.header.as_slice()) else {
            return Ok(None);
        };
        self.header.clear();
        let [a, b, c, d, number] = header;
        let kind = Kind::from_number(number).ok_or(FrameError::UnknownKind(number))?;
        if kind != Kind::Close && !self.takes.contains(&kind) {
            return Err(FrameError::NotHere(kind));
        }
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        check_length(kind, length)?;
        // Room for what was announced is made as it comes: a header alone costs the other end nothing.
        Ok(Some(Partial { kind, length, bytes: Vec::new() }))
    }
}

impl Partial {
    /// Grows by doubling, but never past the announced length, which is within its limit.
    fn extend(&mut self, more: &[u8]) {
        let needed = self.bytes.len().saturating_add(more.len());
        if needed > self.bytes.capacity() {
            let room = self.bytes.capacity().saturating_mul(2).clamp(needed, self.length.max(needed));
            self.bytes.reserve_exact(room - self.bytes.len());
        }
        self.bytes.extend_from_slice(more);
    }
}

impl fmt::Debug for Partial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Partial({} {} of {} bytes)", self.kind, self.bytes.len(), self.length)
    }
}

fn split_off<'a>(input: &mut &'a [u8], most: usize) -> &'a [u8] {
    let (front, rest) = input.split_at_checked(most).unwrap_or((input, &[]));
    *input = rest;
    front
}
