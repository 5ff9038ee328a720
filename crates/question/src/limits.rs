//! Every limit of the protocol, with its unit and its reason.

/// Most cells in one table: 32 councils × 25 quarters × 8 age bands is 6,400, doubled once for growth.
pub const CELLS_MAX: usize = 16_384;

/// Most bytes of one cell in JSON: a sign, 19 digits and a comma.
pub const CELL_BYTES_MAX: usize = 21;

/// Most bytes of one frame's body. A table of [`CELLS_MAX`] cells, base64 in its envelope, fits with room for codes.
pub const FRAME_BYTES_MAX: usize = 1 << 20;
const _: () =
    assert!(CELLS_MAX * CELL_BYTES_MAX * 4 / 3 + 65_536 <= FRAME_BYTES_MAX, "an answer fits in one frame");

/// Most bytes of one cell of a coordinator's sum in JSON: its keys, and three numbers as long as numbers get.
pub const COMBINED_CELL_BYTES_MAX: usize = 128;

/// Bytes of one partner's line in a coverage statement, base64 in its envelope: its standing, with a rule or two, and its policy.
pub const COVERAGE_LINE_BYTES_MAX: usize = 832;

/// Most bytes of a signed coverage statement: the sum of the largest table, base64 in its envelope, and a line for each
/// partner.
pub const COVERAGE_BYTES_MAX: usize = 4 << 20;
const _: () = assert!(
    CELLS_MAX * COMBINED_CELL_BYTES_MAX * 4 / 3 + PARTNERS_MAX * COVERAGE_LINE_BYTES_MAX
        <= COVERAGE_BYTES_MAX,
    "a coverage statement fits in one frame"
);

/// Most bytes of a signed question with its credential: names and codes only, never data.
pub const QUESTION_BYTES_MAX: usize = 64 * 1024;

/// Most columns a question may group by. A policy sets less; this bounds the work before a policy is read.
pub const GROUP_COLUMNS_MAX: usize = 6;

/// Most filters in a question, for the same reason.
pub const FILTERS_MAX: usize = 8;

/// Most characters of a name (a role, a purpose, an analyst, a partner): fits a file name and a table column.
pub const NAME_CHARS_MAX: usize = 64;

/// Most partners in a federation: Scotland has 32 councils and some 400 providers.
pub const PARTNERS_MAX: usize = 1_024;

/// Longest life of a question, in seconds: one day. A replayed question is harmless after that by expiry,
/// and before that by its id.
pub const QUESTION_LIFE_S_MAX: u64 = 86_400;

/// How far a node's clock may be behind the analyst's, in seconds, before `asked_at` counts as in the future.
pub const CLOCK_SKEW_S: u64 = 300;
