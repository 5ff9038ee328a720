-- Form 2: release settings stick to all tables of a dataset for a role, and not to each question alone. What was answered before the
-- change goes on sticking question by question: its dataset and its settings were not kept apart.
ALTER TABLE debit ADD COLUMN scope TEXT;
ALTER TABLE debit ADD COLUMN settings BLOB CHECK (length(settings) = 32);
CREATE INDEX debit_by_scope ON debit (as_of, edition, scope);
PRAGMA user_version = 2;
