-- Form 3: the partners of the first total without noise of the records of a day. Every other is of the same, or the difference of two would be a
-- partner's own figure. Never forgotten.
CREATE TABLE roll_call (
    as_of    TEXT PRIMARY KEY,
    partners TEXT NOT NULL
) STRICT;
