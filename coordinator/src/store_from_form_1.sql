-- Form 2: the newest end of each partner's ledger, as the partner signed it.
CREATE TABLE checkpoint (
    partner TEXT PRIMARY KEY,
    signed  BLOB NOT NULL
) STRICT;
