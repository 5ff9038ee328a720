//! Reading a CSV file: decoded strictly, a row at a time, numbered as a spreadsheet numbers rows.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::rc::Rc;

use cairn_question::Hash;
use csv::{ReaderBuilder, StringRecord};
use encoding_rs::{Decoder, DecoderResult, Encoding};

/// A CSV file being read.
pub(super) struct Rows<R: Read> {
    csv: csv::Reader<Decoded<R>>,
    state: Rc<State>,
    record: StringRecord,
    /// The header's names, trimmed.
    pub(super) header: Vec<String>,
    number: RowNumber,
}

/// Why a file cannot be read on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SourceFault {
    /// The disk failed.
    Disk,
    /// Bytes that the declared encoding does not have.
    Encoding,
    /// A byte order mark of another encoding than the declared one.
    Mark,
    /// A NUL: a binary file, or UTF-16 without its mark.
    Nul,
    /// One row of more than [`ROW_BYTES_MAX`] bytes.
    RowTooLong,
    /// No header.
    Empty,
}

/// What the decoder and the rows tell each other.
#[derive(Default)]
struct State {
    /// Bytes that the row being read may still take.
    allowance: Cell<u64>,
    fault: Cell<Option<SourceFault>>,
    raw: RefCell<Option<ring::digest::Context>>,
    raw_bytes: Cell<u64>,
}

impl<R: Read> Rows<R> {
    pub(super) fn open(raw: R, encoding: &'static Encoding, delimiter: u8) -> Result<Self, SourceFault> {
        let state = Rc::new(State::default());
        *state.raw.borrow_mut() = Some(ring::digest::Context::new(&ring::digest::SHA256));
        let decoded = Decoded::new(raw, encoding, Rc::clone(&state));
        let csv =
            ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(decoded);
        let mut rows = Self {
            csv,
            state,
            record: StringRecord::new(),
            header: Vec::new(),
            number: RowNumber::default(),
        };
        let header: Vec<String> = match rows.next()? {
            Some((_, cells)) => cells.iter().map(|c| c.trim().to_owned()).collect(),
            None => return Err(SourceFault::Empty),
        };
        rows.header = header;
        Ok(rows)
    }

    /// The next row and its number; the header is row 1.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &StringRecord)>, SourceFault> {
        self.state.allowance.set(ROW_BYTES_MAX);
        match self.csv.read_record(&mut self.record) {
            Ok(true) => {
                let row = self.number.next(self.csv.position().line(), &self.record);
                Ok(Some((row, &self.record)))
            }
            Ok(false) => Ok(None),
            Err(_) => Err(self.state.fault.get().unwrap_or(SourceFault::Disk)),
        }
    }

    /// The row that was read last.
    pub(super) const fn last_row(&self) -> u64 {
        self.number.last
    }

    /// Digest and size of the file, once it was read to its end.
    pub(super) fn digest(&self) -> (Hash, u64) {
        let digest = self.state.raw.borrow_mut().take().map(ring::digest::Context::finish);
        (digest.map_or(Hash::from_bytes([0; 32]), |d| Hash::from_digest(&d)), self.state.raw_bytes.get())
    }
}

/// Numbers rows as a spreadsheet does: blank lines count, line breaks within quotes do not.
#[derive(Default)]
struct RowNumber {
    last: u64,
    /// Line breaks within cells so far.
    within: u64,
    /// Lines that the parser has not counted yet when a row ends: 1 where rows end in CR LF.
    lag: u64,
}

impl RowNumber {
    /// `line` is the parser's: 1 and the line feeds that it has passed.
    fn next(&mut self, line: u64, cells: &StringRecord) -> u64 {
        let breaks = memchr_count(b'\n', cells.as_slice().as_bytes());
        self.within += breaks;
        let passed = line.saturating_sub(1).saturating_sub(self.within);
        if self.last == 0 && passed == 0 {
            self.lag = 1;
        }
        self.last = (self.last + 1).max(passed + self.lag);
        self.last
    }
}

fn memchr_count(byte: u8, bytes: &[u8]) -> u64 {
    u64::try_from(bytes.iter().filter(|b| **b == byte).count()).unwrap_or(u64::MAX)
}

/// The file's text as UTF-8. Malformed bytes end the reading; nothing is replaced.
struct Decoded<R> {
    raw: R,
    encoding: &'static Encoding,
    decoder: Decoder,
    state: Rc<State>,
    input: Vec<u8>,
    /// What of `input` is not decoded yet.
    pending: std::ops::Range<usize>,
    text: Vec<u8>,
    /// What of `text` is not handed over yet.
    ready: std::ops::Range<usize>,
    at_start: bool,
    ended: bool,
    /// The end of a line as the file writes it, once the first was seen.
    line_end: Option<&'static [u8]>,
    /// The last byte of the text so far.
    last: u8,
}

impl<R: Read> Decoded<R> {
    fn new(raw: R, encoding: &'static Encoding, state: Rc<State>) -> Self {
        Self {
            raw,
            encoding,
            decoder: encoding.new_decoder_with_bom_removal(),
            state,
            input: vec![0; BUFFER_BYTES],
            pending: 0..0,
            text: vec![0; BUFFER_BYTES * 3],
            ready: 0..0,
            at_start: true,
            ended: false,
            line_end: None,
            last: b'\n',
        }
    }

    fn fail(&self, fault: SourceFault) -> io::Error {
        self.state.fault.set(Some(fault));
        io::Error::from(io::ErrorKind::InvalidData)
    }

    fn fill_input(&mut self) -> io::Result<()> {
        let mut filled = 0;
        while filled < self.input.len() {
            let free = self.input.get_mut(filled..).unwrap_or_default();
            match self.raw.read(free) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(self.fail(SourceFault::Disk)),
            }
        }
        self.pending = 0..filled;
        let bytes = self.input.get(..filled).unwrap_or_default();
        if let Some(digest) = self.state.raw.borrow_mut().as_mut() {
            digest.update(bytes);
        }
        self.state.raw_bytes.set(self.state.raw_bytes.get() + u64::try_from(filled).unwrap_or(0));
        let mark = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
        if std::mem::take(&mut self.at_start) && mark.is_some_and(|m| m != self.encoding) {
            return Err(self.fail(SourceFault::Mark));
        }
        Ok(())
    }

    fn decode(&mut self) -> io::Result<()> {
        if self.pending.is_empty() && !self.ended {
            self.fill_input()?;
        }
        let input = self.input.get(self.pending.clone()).unwrap_or_default();
        let (result, read, written) =
            self.decoder.decode_to_utf8_without_replacement(input, &mut self.text, self.ended);
        self.pending.start += read;
        self.ready = 0..written;
        if matches!(result, DecoderResult::Malformed(..)) {
            return Err(self.fail(SourceFault::Encoding));
        }
        let text = self.text.get(..written).unwrap_or_default();
        if text.contains(&0) {
            return Err(self.fail(SourceFault::Nul));
        }
        if let (None, Some(at)) = (self.line_end, text.iter().position(|b| *b == b'\n')) {
            let before = at.checked_sub(1).and_then(|at| text.get(at)).unwrap_or(&self.last);
            self.line_end = Some(if *before == b'\r' { b"\r\n" } else { b"\n" });
        }
        self.last = text.last().copied().unwrap_or(self.last);
        self.close_last_line();
        Ok(())
    }

    /// Ends a last line that the file leaves open, as the file ends the others: rows are numbered by the ends of lines.
    fn close_last_line(&mut self) {
        if !self.ended || !self.pending.is_empty() || self.last == b'\n' {
            return;
        }
        let end = self.line_end.unwrap_or(b"\n");
        let free = self.text.get_mut(self.ready.end..).unwrap_or_default();
        if free.len() < end.len() {
            return;
        }
        for (to, from) in free.iter_mut().zip(end) {
            *to = *from;
        }
        self.ready.end += end.len();
        self.last = b'\n';
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.ready.is_empty() && !(self.ended && self.pending.is_empty()) {
            self.decode()?;
        }
        let text = self.text.get(self.ready.clone()).unwrap_or_default();
        let n = text.len().min(out.len());
        let taken = u64::try_from(n).unwrap_or(u64::MAX);
        let left = self.state.allowance.get().checked_sub(taken);
        self.state.allowance.set(left.ok_or_else(|| self.fail(SourceFault::RowTooLong))?);
        for (to, from) in out.iter_mut().zip(text) {
            *to = *from;
        }
        self.ready.start += n;
        Ok(n)
    }
}

/// Most bytes of one row: 500 columns of 2,000 letters. More is a quote that was never closed.
pub(super) const ROW_BYTES_MAX: u64 = 1 << 20;

const BUFFER_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests;
