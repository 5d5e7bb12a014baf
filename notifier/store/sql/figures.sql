-- name: deliveries
SELECT s.channel, n.state, sum(n.number) AS number
FROM (SELECT subscription, state, count(*) AS number FROM delivery GROUP BY subscription, state) AS n
JOIN subscription AS s ON s.pk = n.subscription
GROUP BY s.channel, n.state

-- name: oldest_due
SELECT min(d.due_at) FROM delivery AS d JOIN subscription AS s ON s.pk = d.subscription
WHERE d.state IN ('planned', 'deferred', 'claimed') AND d.next_attempt_at <= :now
    AND (s.paused = 0 OR s.paused_until <= :now)

-- name: late_slots
-- An instant subscription is always due.
SELECT count(*) FROM subscription
WHERE next_due_at < :before AND every <> 'instant' AND (paused = 0 OR paused_until < :before)

-- name: delivery_days
SELECT substr(due_at, 1, 10) AS day, state, count(*) AS number FROM delivery
WHERE due_at >= :since AND due_at < :until
GROUP BY day, state

-- name: entry_days
SELECT substr(new_at, 1, 10) AS day, count(*) AS number FROM entry
WHERE new_at >= :since AND new_at < :until
GROUP BY day
