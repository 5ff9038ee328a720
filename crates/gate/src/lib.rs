//! Takes a signed question through every step, in order, before an answer may leave.
