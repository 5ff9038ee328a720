-- Form 4: what an entitled auditor recomputes an opened total from. Whoever reads it has the exact sum.
CREATE TABLE transcript (
    question BLOB PRIMARY KEY REFERENCES question (id) ON DELETE CASCADE,
    bytes    BLOB NOT NULL
) STRICT;
