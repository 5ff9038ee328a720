-- A ledger as the third form kept it: one question settled, one held, one given up.
PRAGMA application_id = 1128352817;
PRAGMA user_version = 3;
BEGIN TRANSACTION;
CREATE TABLE entry (
    seq  INTEGER PRIMARY KEY,
    text TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
INSERT INTO entry VALUES(1,'{"seq":1,"at":1777636800,"kind":"start"}',X'89c1e88772c2ffe7b031dd1aeae65720757c9d58822a4993db9283873fabfdb8');
INSERT INTO entry VALUES(2,'{"seq":2,"at":1777636801,"kind":"question-answered","question_id":"0101010101010101010101010101010101010101010101010101010101010101","question_hash":"sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a","cost":700,"year_so_far":700}',X'44e36a692205a6816cb241745d120d4b9e6e05782a559fda7f1c3aecfb39cc8e');
INSERT INTO entry VALUES(3,'{"seq":3,"at":1777636804,"kind":"question-failed","question_id":"0303030303030303030303030303030303030303030303030303030303030303","question_hash":"sha256:084fed08b978af4d7d196a7446a86b58009e636b611db16211b65a9aadff29c5"}',X'd0a91c51bfad0e46fa7b6c2ca044d6d7398af4ef783b224ce5d01e81f91df0cf');
CREATE TABLE head (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    seq      INTEGER NOT NULL,
    hash     BLOB NOT NULL CHECK (length(hash) = 32),
    latest_s INTEGER NOT NULL
) STRICT;
INSERT INTO head VALUES(1,3,X'd0a91c51bfad0e46fa7b6c2ca044d6d7398af4ef783b224ce5d01e81f91df0cf',1777636804);
CREATE TABLE question (
    id    BLOB PRIMARY KEY CHECK (length(id) = 32),
    hash  BLOB NOT NULL CHECK (length(hash) = 32),
    reply BLOB
) STRICT;
INSERT INTO question VALUES(X'0101010101010101010101010101010101010101010101010101010101010101',X'4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a',X'7265706c792031');
INSERT INTO question VALUES(X'0202020202020202020202020202020202020202020202020202020202020202',X'dbc1b4c900ffe48d575b5da5c638040125f65db0fe3e24494b76ea986457d986',NULL);
INSERT INTO question VALUES(X'0303030303030303030303030303030303030303030303030303030303030303',X'084fed08b978af4d7d196a7446a86b58009e636b611db16211b65a9aadff29c5',NULL);
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
INSERT INTO debit VALUES(X'0101010101010101010101010101010101010101010101010101010101010101',1,'spent',700,NULL,'2026-05-01','2026-05-01',1777637400,'analyst-1','smf-quarterly',X'9dcf97a184f32623d11a73124ceb99a5709b083721e878a16d78f596718ba7b2','2026-03-31',1,X'60c411b2baec2ab58d4494dd7a1efcec94ed33e8737a24a920ab58a59284208d','national-analyst participants people cells',X'cde0fb0dec1400c54a0f7e7eafa73624c53e4da258bbd34b3380a0defeba95c1');
INSERT INTO debit VALUES(X'0202020202020202020202020202020202020202020202020202020202020202',2,'held',100,NULL,'2026-05-01','2026-05-01',1777637400,'analyst-1','smf-quarterly',X'50cff72c8e550546d661ec235431888fb2f9f7bada40c17020d47f6ccc117aae','2026-03-31',1,X'60c411b2baec2ab58d4494dd7a1efcec94ed33e8737a24a920ab58a59284208d','national-analyst participants people cells',X'cde0fb0dec1400c54a0f7e7eafa73624c53e4da258bbd34b3380a0defeba95c1');
INSERT INTO debit VALUES(X'0303030303030303030303030303030303030303030303030303030303030303',3,'abandoned',100,NULL,'2026-05-01','2026-05-01',1777637400,'analyst-1','smf-quarterly',X'8655173af1ec080de2dae0c6d0a7a2da5ade8b2cf8117645da18b90aaefd0ee2','2026-03-31',1,X'60c411b2baec2ab58d4494dd7a1efcec94ed33e8737a24a920ab58a59284208d','national-analyst participants people cells',X'cde0fb0dec1400c54a0f7e7eafa73624c53e4da258bbd34b3380a0defeba95c1');
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
INSERT INTO answer VALUES(X'9dcf97a184f32623d11a73124ceb99a5709b083721e878a16d78f596718ba7b2','2026-03-31',1,X'60c411b2baec2ab58d4494dd7a1efcec94ed33e8737a24a920ab58a59284208d',X'7461626c652031',X'0101010101010101010101010101010101010101010101010101010101010101',X'636f756e74732031');
CREATE TABLE year (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    began TEXT NOT NULL
) STRICT;
INSERT INTO year VALUES(1,'2026-04-01');
CREATE TABLE given_up (
    number INTEGER PRIMARY KEY,
    seq    INTEGER NOT NULL,
    hash   BLOB NOT NULL UNIQUE CHECK (length(hash) = 32)
) STRICT;
CREATE TRIGGER entry_never_changes BEFORE UPDATE ON entry
    BEGIN SELECT RAISE(ABORT, 'an audit entry never changes'); END;
CREATE TRIGGER entry_never_goes BEFORE DELETE ON entry
    BEGIN SELECT RAISE(ABORT, 'an audit entry never goes'); END;
CREATE INDEX debit_by_scope ON debit (as_of, edition, scope);
CREATE INDEX debit_by_share ON debit (analyst, share, day);
CREATE INDEX debit_by_question ON debit (canonical, as_of, edition);
CREATE INDEX debit_by_cost ON debit (day, state, cost) WHERE cost > 0;
CREATE INDEX debit_held ON debit (until_s) WHERE state = 'held';
COMMIT;
