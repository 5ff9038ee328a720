//! What the files of a policy folder are called, for whoever writes one, reads one or names one to a reader.

/// The national board's file.
pub const FRAMEWORK_FILE: &str = "framework.toml";

/// The partner's policy.
pub const POLICY_FILE: &str = "policy.toml";

/// The cases and the never statements beside the policy.
pub const TESTS_FILE: &str = "tests.toml";

/// The partner's brake, which nobody signs.
pub const BRAKE_FILE: &str = "local-brake.toml";

/// What the board signed about the policy.
pub const APPROVAL_FILE: &str = "approval.txt";

/// The folder of the members' signatures over it.
pub const APPROVALS_DIR: &str = "approvals";

/// The members of the board, with their keys and quorums.
pub const BOARD_FILE: &str = "board.toml";

/// What the old and the new board signed about a new [`BOARD_FILE`].
pub const BOARD_APPROVAL_FILE: &str = "board-approval.txt";

/// The folder of their signatures over it.
pub const BOARD_APPROVALS_DIR: &str = "board-approvals";
