-- What kind of mail came back (of those before now: what their owners can mend), and whether its owner was asked again.
ALTER TABLE suppression ADD COLUMN kind TEXT;

UPDATE suppression SET kind = CASE
    WHEN reason = 'Its owner reported our mail as spam.' THEN 'complaint'
    WHEN address IN (SELECT address FROM bounce) THEN 'soft'
END;

ALTER TABLE suppression ADD COLUMN question TEXT;

ALTER TABLE suppression ADD COLUMN asked_at TEXT;

ALTER TABLE suppression ADD COLUMN asked_until TEXT;

CREATE INDEX suppression_question ON suppression (question) WHERE question IS NOT NULL
