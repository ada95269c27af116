-- A line about each note, filled in by the workers. Nullable: the version before this one inserts without it.

ALTER TABLE notes ADD COLUMN summary text;
