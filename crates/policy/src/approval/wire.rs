//! The strings of OpenSSH's binary forms (RFC 4251 section 5): a length in four bytes, then the bytes.

/// What is left to read. Every step gives `None` where the bytes do not reach.
pub(super) struct Wire<'a>(&'a [u8]);

impl<'a> Wire<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    /// A string of C: OpenSSH lets one zero byte end it and none stand inside.
    pub(super) fn c_string(&mut self) -> Option<&'a [u8]> {
        let bytes = self.string()?;
        let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
        (!bytes.contains(&0)).then_some(bytes)
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// Appends a string. The lengths here are those of keys, names and hashes, far below four bytes' worth.
pub(super) fn put(bytes: &mut Vec<u8>, string: &[u8]) {
    let length = u32::try_from(string.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(string);
}
