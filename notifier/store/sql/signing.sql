-- name: retire
UPDATE signing_secret SET until = :until
WHERE subscription = (SELECT pk FROM subscription WHERE id = :id) AND until IS NULL

-- name: forget
DELETE FROM signing_secret WHERE subscription = (SELECT pk FROM subscription WHERE id = :id) AND until <= :now

-- name: put
INSERT INTO signing_secret (subscription, since, secret)
VALUES ((SELECT pk FROM subscription WHERE id = :id), :now, :secret)
ON CONFLICT (subscription, since) DO UPDATE SET secret = excluded.secret, until = NULL

-- name: of
SELECT x.secret
FROM signing_secret AS x JOIN subscription AS s ON s.pk = x.subscription
WHERE s.id = :id AND (x.until IS NULL OR x.until > :now)
ORDER BY x.since DESC

-- name: of_delivery
SELECT x.secret
FROM signing_secret AS x JOIN delivery AS d ON d.subscription = x.subscription
WHERE d.id = :id AND (x.until IS NULL OR x.until > :now)
ORDER BY x.since DESC
