//! Makes up people, seeded and calibrated to published totals, with their truth.
