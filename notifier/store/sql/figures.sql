-- Most deliveries are sent, and nobody looks at those one by one: what is not sent is counted by its own small indexes,
-- and what is sent is the rest.

-- name: by_channel
SELECT s.channel, sum(n.number) AS number
FROM (SELECT subscription, count(*) AS number FROM delivery GROUP BY subscription) AS n
JOIN subscription AS s ON s.pk = n.subscription
GROUP BY s.channel

-- name: open_by_channel
SELECT s.channel, d.state, count(*) AS number
FROM delivery AS d INDEXED BY delivery_open JOIN subscription AS s ON s.pk = d.subscription
WHERE d.state IN ('planned', 'deferred', 'claimed')
GROUP BY s.channel, d.state

-- name: unsent_by_channel
SELECT s.channel, d.state, count(*) AS number
FROM delivery AS d INDEXED BY delivery_unsent JOIN subscription AS s ON s.pk = d.subscription
WHERE d.state IN ('failed', 'held', 'cancelled', 'superseded')
GROUP BY s.channel, d.state

-- name: oldest_due
SELECT min(d.due_at) FROM delivery AS d INDEXED BY delivery_open JOIN subscription AS s ON s.pk = d.subscription
WHERE d.state IN ('planned', 'deferred', 'claimed') AND d.next_attempt_at <= :now
    AND (s.paused = 0 OR s.paused_until <= :now)

-- name: late_slots
-- An instant subscription is always due.
SELECT count(*) FROM subscription
WHERE next_due_at < :before AND every <> 'instant' AND (paused = 0 OR paused_until < :before)

-- name: days
SELECT substr(due_at, 1, 10) AS day, count(*) AS number FROM delivery
WHERE due_at >= :since AND due_at < :until
GROUP BY day

-- name: open_days
SELECT substr(due_at, 1, 10) AS day, state, count(*) AS number FROM delivery INDEXED BY delivery_open
WHERE state IN ('planned', 'deferred', 'claimed') AND due_at >= :since AND due_at < :until
GROUP BY day, state

-- name: unsent_days
SELECT substr(due_at, 1, 10) AS day, state, count(*) AS number FROM delivery INDEXED BY delivery_unsent
WHERE state IN ('failed', 'held', 'cancelled', 'superseded') AND due_at >= :since AND due_at < :until
GROUP BY day, state

-- name: entry_days
SELECT substr(new_at, 1, 10) AS day, count(*) AS number FROM entry
WHERE new_at >= :since AND new_at < :until
GROUP BY day
