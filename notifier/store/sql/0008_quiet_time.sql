-- When nothing is sent: quiet hours as 22:00-07:00 in the subscriber's zone, and free weekends.
ALTER TABLE subscription ADD COLUMN quiet TEXT;

ALTER TABLE subscription ADD COLUMN weekends INTEGER NOT NULL DEFAULT 1
