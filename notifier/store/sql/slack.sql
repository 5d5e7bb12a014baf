-- name: take
INSERT INTO slack_inbox (key, payload, received_at, due_at) VALUES (:key, :payload, :now, :now)
ON CONFLICT (key) DO NOTHING

-- name: claim
-- Of one statement, so that two workers never take the same.
UPDATE slack_inbox SET attempts = attempts + 1, fence = fence + 1, due_at = :lease_until
WHERE pk IN (SELECT pk FROM slack_inbox WHERE due_at <= :now ORDER BY due_at, pk LIMIT :limit)
RETURNING *

-- name: answered
UPDATE slack_inbox SET calls = :calls WHERE pk = :id AND fence = :fence AND done_at IS NULL

-- name: put_off
UPDATE slack_inbox SET due_at = :until WHERE pk = :id AND fence = :fence AND done_at IS NULL

-- name: done
UPDATE slack_inbox SET due_at = NULL, done_at = :now, outcome = :outcome, payload = '', calls = NULL
WHERE pk = :id AND fence = :fence AND done_at IS NULL

-- name: due
SELECT count(*) AS number FROM slack_inbox WHERE due_at <= :now

-- name: forget
DELETE FROM slack_inbox WHERE done_at < :before

-- name: forget_told
DELETE FROM slack_told WHERE at < :before

-- name: put_workspace
INSERT INTO slack_workspace (team, name, token_name, bot_user, token, installed_at)
VALUES (:team, :name, :token_name, :bot_user, :token, :installed_at)
ON CONFLICT (team) DO UPDATE SET
    name = excluded.name, token_name = excluded.token_name, bot_user = excluded.bot_user, token = excluded.token,
    gone_at = NULL, gone_reason = NULL

-- name: workspaces
SELECT * FROM slack_workspace ORDER BY team

-- name: gone
UPDATE slack_workspace SET gone_at = :now, gone_reason = :reason, token = NULL WHERE team = :team AND gone_at IS NULL

-- name: link
INSERT INTO slack_member (team, user, subscriber, linked_at)
VALUES (:team, :user, (SELECT pk FROM subscriber WHERE id = :subscriber), :now)
ON CONFLICT (team, user) DO UPDATE SET subscriber = excluded.subscriber, linked_at = excluded.linked_at

-- name: subscriber
SELECT p.* FROM slack_member AS m JOIN subscriber AS p ON p.pk = m.subscriber WHERE m.team = :team AND m.user = :user

-- name: put_code
INSERT INTO slack_code (team, user, email, digest, expires_at, tries)
VALUES (:team, :user, :email, :digest, :expires_at, :tries)
ON CONFLICT (team, user) DO UPDATE SET
    email = excluded.email, digest = excluded.digest, expires_at = excluded.expires_at, tries = excluded.tries

-- name: code
SELECT * FROM slack_code WHERE team = :team AND user = :user

-- name: drop_code
DELETE FROM slack_code WHERE team = :team AND user = :user

-- name: keep
INSERT INTO slack_kept (team, user, entry, what, channel, at)
SELECT :team, :user, pk, :what, :channel, :at FROM entry WHERE id = :entry
ON CONFLICT DO NOTHING

-- name: drop
DELETE FROM slack_kept
WHERE team = :team AND user = :user AND what = :what AND entry = (SELECT pk FROM entry WHERE id = :entry)

-- name: kept
SELECT k.*, e.id AS entry_id FROM slack_kept AS k JOIN entry AS e ON e.pk = k.entry
WHERE k.team = :team AND k.at > :since
    AND (:user IS NULL OR k.user = :user) AND (:channel IS NULL OR k.channel = :channel)
ORDER BY k.at DESC, e.id

-- name: react
INSERT INTO slack_reaction (team, channel, ts, user, name, at) VALUES (:team, :channel, :ts, :user, :name, :now)
ON CONFLICT DO NOTHING

-- name: unreact
DELETE FROM slack_reaction
WHERE team = :team AND channel = :channel AND ts = :ts AND user = :user AND name = :name

-- name: reactions
SELECT r.name, count(*) AS number
FROM json_each(:ts) AS wanted
JOIN slack_reaction AS r ON r.team = :team AND r.ts = wanted.value
GROUP BY r.name ORDER BY number DESC, r.name

-- name: delivery_of
SELECT d.id FROM json_each(:targets) AS wanted
JOIN subscription AS s ON s.channel = 'slack' AND s.target = wanted.value
JOIN delivery AS d ON d.subscription = s.pk
JOIN json_each(d.accepted) AS part ON part.value = :ts
LIMIT 1

-- name: told
INSERT INTO slack_told (key, at) VALUES (:key, :now) ON CONFLICT DO NOTHING
