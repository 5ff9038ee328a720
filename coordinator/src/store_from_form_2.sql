-- Form 3: the partners of the first total without noise of these records. Every other is of the same, or the difference of two would be a
-- partner's own figure. Never forgotten.
CREATE TABLE roll_call (
    dataset  TEXT NOT NULL,
    as_of    TEXT NOT NULL,
    partners TEXT NOT NULL,
    PRIMARY KEY (dataset, as_of)
) STRICT;
