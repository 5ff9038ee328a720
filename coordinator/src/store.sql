-- The coordinator's store. *_s is in seconds since 1970. Replies and statements are kept exactly as they were signed.

CREATE TABLE register (
    version INTEGER PRIMARY KEY,
    signed  BLOB NOT NULL
) STRICT;

-- Every question that was accepted. It is open until it has a coverage statement.
CREATE TABLE question (
    id               BLOB PRIMARY KEY CHECK (length(id) = 32),
    signed           BLOB NOT NULL,
    analyst          TEXT NOT NULL,
    register_version INTEGER NOT NULL REFERENCES register (version),
    accepted_s       INTEGER NOT NULL,
    deadline_s       INTEGER NOT NULL,
    closed_s         INTEGER,
    coverage         BLOB,
    kept_bytes       INTEGER NOT NULL DEFAULT 0,
    CHECK ((closed_s IS NULL) = (coverage IS NULL))
) STRICT;
CREATE INDEX question_open ON question (analyst) WHERE closed_s IS NULL;
CREATE INDEX question_closed ON question (closed_s) WHERE closed_s IS NOT NULL;

CREATE TABLE reply (
    question BLOB NOT NULL REFERENCES question (id) ON DELETE CASCADE,
    partner  TEXT NOT NULL,
    signed   BLOB NOT NULL,
    PRIMARY KEY (question, partner)
) STRICT;

-- Since form 2: the newest end of each partner's ledger, as the partner signed it. Never forgotten.
CREATE TABLE checkpoint (
    partner TEXT PRIMARY KEY,
    signed  BLOB NOT NULL
) STRICT;

-- Since form 3: the partners of the first total without noise of the records of a day. Every other is of the same, or the difference of two would be a
-- partner's own figure. Never forgotten.
CREATE TABLE roll_call (
    as_of    TEXT PRIMARY KEY,
    partners TEXT NOT NULL
) STRICT;

-- Since form 4: what an entitled auditor recomputes an opened total from, forgotten with its round. Whoever reads it has the exact sum.
CREATE TABLE transcript (
    question BLOB PRIMARY KEY REFERENCES question (id) ON DELETE CASCADE,
    bytes    BLOB NOT NULL
) STRICT;
