-- Form 4: secure totals that were opened. No ledger before it ever opened one.
CREATE TABLE opening (
    question_id BLOB PRIMARY KEY REFERENCES question (id),
    dataset     TEXT NOT NULL,
    as_of       TEXT NOT NULL,
    edition     INTEGER NOT NULL,
    repeat      TEXT NOT NULL CHECK (repeat IN ('charged', 'same-partners')),
    partners    BLOB NOT NULL CHECK (length(partners) > 0 AND length(partners) % 16 = 0),
    until_s     INTEGER NOT NULL,
    record      BLOB
) STRICT;
CREATE TRIGGER opening_never_changes
    BEFORE UPDATE OF question_id, dataset, as_of, edition, repeat, partners, until_s ON opening
    BEGIN SELECT RAISE(ABORT, 'an opening never changes'); END;
CREATE TRIGGER opening_is_only_wiped BEFORE UPDATE OF record ON opening WHEN NEW.record IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'the record of an opening is only wiped'); END;
CREATE TRIGGER opening_never_goes BEFORE DELETE ON opening
    BEGIN SELECT RAISE(ABORT, 'an opening never goes'); END;
CREATE INDEX opening_bound ON opening (as_of) WHERE repeat = 'same-partners';
CREATE INDEX opening_kept ON opening (until_s) WHERE record IS NOT NULL;
PRAGMA user_version = 4;
