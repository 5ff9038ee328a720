-- Form 3: the counts of tables without noise, the policy year that runs, and heads that a restore gave up. Tables that were answered before
-- the change have no counts kept, so that the first later edition of them is held against nothing.
ALTER TABLE answer ADD COLUMN counts BLOB;
CREATE TABLE year (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    began TEXT NOT NULL
) STRICT;
CREATE TABLE given_up (
    number INTEGER PRIMARY KEY,
    seq    INTEGER NOT NULL,
    hash   BLOB NOT NULL UNIQUE CHECK (length(hash) = 32)
) STRICT;
PRAGMA user_version = 3;
