-- What a source's upkeep remembers: since when its address is missing, that it is paused and why, and a move of its
-- address that has to last before it is believed.
ALTER TABLE source ADD COLUMN missing_since TEXT;
ALTER TABLE source ADD COLUMN paused_at TEXT;
ALTER TABLE source ADD COLUMN paused_reason TEXT;
ALTER TABLE source ADD COLUMN moving_to TEXT;
ALTER TABLE source ADD COLUMN moving_since TEXT;
ALTER TABLE source ADD COLUMN moving_times INTEGER NOT NULL DEFAULT 0;
ALTER TABLE source ADD COLUMN moved_from TEXT;
