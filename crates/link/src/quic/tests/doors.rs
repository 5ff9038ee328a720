//! Who gets in, and how whoever does not is told.
