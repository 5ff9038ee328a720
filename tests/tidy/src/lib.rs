//! Holds the tree to its house rules.
