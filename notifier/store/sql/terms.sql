-- name: documents
SELECT e.pk, e.id, e.title, e.abstract, e.keywords, e.organization, e.authors, e.categories
FROM json_each(:ids) AS wanted JOIN entry AS e ON e.id = wanted.value

-- name: all_documents
SELECT pk, id, title, abstract, keywords, organization, authors, categories FROM entry

-- name: add
INSERT INTO entry_terms (rowid, title, abstract, keywords, organization, authors, categories, variants)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- name: remove
INSERT INTO entry_terms (entry_terms, rowid, title, abstract, keywords, organization, authors, categories, variants)
VALUES ('delete', ?, ?, ?, ?, ?, ?, ?, ?)

-- name: clear
INSERT INTO entry_terms (entry_terms) VALUES ('delete-all')

-- name: optimize
INSERT INTO entry_terms (entry_terms) VALUES ('optimize')

-- name: made_by
SELECT made_by FROM entry_terms_state

-- name: filled
UPDATE entry_terms_state SET made_by = :made_by

-- name: doubt
-- Another version has filled the table: whoever opens it next fills it anew.
UPDATE entry_terms_state SET made_by = '' WHERE made_by <> :made_by

-- name: known
SELECT value FROM json_each(:terms) WHERE EXISTS (SELECT 1 FROM entry_term WHERE term = value)
