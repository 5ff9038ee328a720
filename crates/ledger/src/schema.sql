-- The ledger's tables. Amounts are integers: cost in nano-rho, pure_epsilon in millionths of epsilon, *_s in seconds since 1970.

-- The audit: `text` is hashed exactly as stored, after the hash of the entry before it (32 zero bytes before the first).
CREATE TABLE entry (
    seq  INTEGER PRIMARY KEY,
    text TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TRIGGER entry_never_changes BEFORE UPDATE ON entry
    BEGIN SELECT RAISE(ABORT, 'an audit entry never changes'); END;
CREATE TRIGGER entry_never_goes BEFORE DELETE ON entry
    BEGIN SELECT RAISE(ABORT, 'an audit entry never goes'); END;

-- The chain's end, and the latest moment the ledger has seen: its own time never runs backward.
CREATE TABLE head (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    seq      INTEGER NOT NULL,
    hash     BLOB NOT NULL CHECK (length(hash) = 32),
    latest_s INTEGER NOT NULL
) STRICT;
INSERT INTO head VALUES (1, 0, zeroblob(32), 0);

-- Every question id that is known, the hash it came with, and its signed reply once it has one.
CREATE TABLE question (
    id    BLOB PRIMARY KEY CHECK (length(id) = 32),
    hash  BLOB NOT NULL CHECK (length(hash) = 32),
    reply BLOB
) STRICT;

-- The account: held before anything is counted; then spent, or lapsed or abandoned with nothing having left.
CREATE TABLE debit (
    question_id  BLOB PRIMARY KEY REFERENCES question (id),
    hold         INTEGER NOT NULL UNIQUE,
    state        TEXT NOT NULL CHECK (state IN ('held', 'spent', 'lapsed', 'abandoned')),
    cost         INTEGER NOT NULL CHECK (cost >= 0),
    pure_epsilon INTEGER CHECK (pure_epsilon > 0),
    day          TEXT NOT NULL,
    day_utc      TEXT NOT NULL,
    until_s      INTEGER NOT NULL,
    analyst      TEXT NOT NULL,
    share        TEXT NOT NULL,
    canonical    BLOB NOT NULL CHECK (length(canonical) = 32),
    as_of        TEXT NOT NULL,
    edition      INTEGER NOT NULL,
    treatment    BLOB NOT NULL CHECK (length(treatment) = 32),
    -- Since form 2, NULL in older rows: which tables stick together, and the settings that stick to them.
    scope        TEXT,
    settings     BLOB CHECK (length(settings) = 32)
) STRICT;
CREATE INDEX debit_by_scope ON debit (as_of, edition, scope);
CREATE INDEX debit_by_share ON debit (analyst, share, day);
CREATE INDEX debit_by_question ON debit (canonical, as_of, edition);
CREATE INDEX debit_by_cost ON debit (day, state, cost) WHERE cost > 0;
CREATE INDEX debit_held ON debit (until_s) WHERE state = 'held';

-- The release register: what each canonical question on each snapshot was answered with, and under which treatment.
CREATE TABLE answer (
    canonical   BLOB NOT NULL CHECK (length(canonical) = 32),
    as_of       TEXT NOT NULL,
    edition     INTEGER NOT NULL,
    treatment   BLOB NOT NULL CHECK (length(treatment) = 32),
    table_json  BLOB NOT NULL,
    question_id BLOB NOT NULL REFERENCES question (id),
    -- Since form 3, for tables without noise: the counts that the table was made from, to be held against those of a later edition of
    -- the same day. They never leave the node.
    counts      BLOB,
    PRIMARY KEY (canonical, as_of, edition)
) STRICT;

-- Since form 3: the first day of the policy year that runs. A policy that moves the year's start makes it longer, never shorter.
CREATE TABLE year (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    began TEXT NOT NULL
) STRICT;

-- Since form 3: ends of this chain that others hold, and that a restored backup has not; each was given up by hand, and paid for.
CREATE TABLE given_up (
    number INTEGER PRIMARY KEY,
    seq    INTEGER NOT NULL,
    hash   BLOB NOT NULL UNIQUE CHECK (length(hash) = 32)
) STRICT;

-- Since form 4: the secure totals that were opened, one for each question, for ever (R2). `partners` are node ids of 16 bytes, rising; an
-- opening without fresh noise ('same-partners') binds every later one of its kind on the same records to them (R6). `record` holds a
-- secret: it is wiped after `until_s`, when nothing is sent again.
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
