//! What editors check a file against as it is written: JSON Schema, draft 7. It knows the form of each file; what the values
//! mean together is for [`crate::check`].

/// The schema of `policy.toml`, format 1.
pub const POLICY: &str = include_str!("../../../schemas/policy/cairn-policy-1.schema.json");

/// The schema of `framework.toml`, format 1.
pub const FRAMEWORK: &str = include_str!("../../../schemas/policy/cairn-framework-1.schema.json");

/// The schema of `board.toml`, format 1.
pub const BOARD: &str = include_str!("../../../schemas/policy/cairn-board-1.schema.json");

#[cfg(test)]
mod tests;
