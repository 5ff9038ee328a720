//! Applies thresholds and rounding to counts of people, the same way at node and coordinator.
