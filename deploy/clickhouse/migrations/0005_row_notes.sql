-- Remarks of the gateway on a row: reason codes, separated by spaces. They came with every row from the start; now they are
-- kept.
ALTER TABLE serial_rows ADD COLUMN IF NOT EXISTS note LowCardinality(String);
ALTER TABLE unregistered_rows ADD COLUMN IF NOT EXISTS note LowCardinality(String);

ALTER TABLE serial_rows_view MODIFY QUERY
SELECT product, r.serial_key AS serial_key, r.holder_key AS holder_key, submission, r.row AS row,
    d.outcome AS outcome, d.entry AS entry, action, account,
    r.supplier AS supplier, r.supplier_key AS supplier_key, r.holder AS holder, r.series AS series, r.model AS model, r.serial AS serial,
    r.status AS status, r.reason AS reason, l.finding AS listing, l.note AS listing_note, d.note AS decision_note,
    snapshot, received_at, partition, origin, r.note AS note
FROM decided_batches
ARRAY JOIN records AS r, listings AS l, decisions AS d
WHERE r.serial_key != '';

ALTER TABLE unregistered_rows_view MODIFY QUERY
SELECT submission, r.row AS row, r.line AS line, d.outcome AS outcome, r.finding AS finding, r.column AS column,
    l.finding AS listing, l.note AS listing_note, d.note AS decision_note, product,
    r.supplier AS supplier, r.holder AS holder, r.series AS series, r.model AS model, r.serial AS serial,
    r.status AS status, r.reason AS reason, r.serial_key AS serial_key, r.holder_key AS holder_key, snapshot, r.note AS note
FROM decided_batches
ARRAY JOIN records AS r, listings AS l, decisions AS d
WHERE d.entry = 0;

-- The rows that made an entry and have a remark, in the order of their file. Most messages have none, and are not spread.
CREATE TABLE IF NOT EXISTS noted_rows
(
    submission UUID,
    row UInt32,
    line UInt32,
    outcome LowCardinality(String),
    listing_note LowCardinality(String),
    decision_note LowCardinality(String),
    product LowCardinality(String),
    supplier LowCardinality(String),
    holder LowCardinality(String),
    series LowCardinality(String),
    model LowCardinality(String),
    serial String,
    status LowCardinality(String),
    reason LowCardinality(String),
    serial_key String,
    holder_key LowCardinality(String),
    note LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (submission, row);

CREATE MATERIALIZED VIEW IF NOT EXISTS noted_rows_view TO noted_rows AS
SELECT submission, r.row AS row, r.line AS line, d.outcome AS outcome, l.note AS listing_note, d.note AS decision_note, product,
    r.supplier AS supplier, r.holder AS holder, r.series AS series, r.model AS model, r.serial AS serial,
    r.status AS status, r.reason AS reason, r.serial_key AS serial_key, r.holder_key AS holder_key, r.note AS note
FROM (SELECT * FROM decided_batches WHERE action = 'register' AND arrayExists(note -> note != '', records.note))
ARRAY JOIN records AS r, listings AS l, decisions AS d
WHERE d.entry > 0 AND r.note != '';
