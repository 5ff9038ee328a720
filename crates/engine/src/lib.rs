//! Counts people in a snapshot over the full grid of declared cells.
