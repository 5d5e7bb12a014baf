-- What a clock that ran ahead has written, put right when it is set back. :soon is an hour and :later a day from now.

-- name: subscriptions
-- As if they had not been planned yet: the ledger still knows what each of them got.
UPDATE subscription SET next_due_at = :now, planned_until = NULL WHERE planned_until > :soon

-- name: deliveries
-- No wait that is meant lasts longer.
UPDATE delivery SET next_attempt_at = :now WHERE state IN ('planned', 'deferred') AND next_attempt_at > :later

-- name: leases
UPDATE delivery SET lease_until = :now WHERE state = 'claimed' AND lease_until > :later

-- name: sources
UPDATE source SET next_fetch_at = :now WHERE last_success_at > :soon AND next_fetch_at > :now

-- name: services
UPDATE service SET next_at = :now WHERE next_at > :later
