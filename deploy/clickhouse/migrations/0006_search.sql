-- What an account finds by search: the entries of its suppliers, in the order in which pages are read. The state of a
-- serial, as this supplier knows it, is its entry with the highest number. Fed from serial_rows, so that a message is
-- spread into rows once.
CREATE TABLE IF NOT EXISTS supplier_entries
(
    product LowCardinality(String),
    supplier_key LowCardinality(String),
    serial_key String,
    holder_key LowCardinality(String),
    entry UInt32,
    outcome LowCardinality(String),
    status LowCardinality(String),
    reason LowCardinality(String),
    note String,
    account LowCardinality(String),
    supplier LowCardinality(String),
    holder LowCardinality(String),
    series LowCardinality(String),
    model LowCardinality(String),
    serial String,
    submission UUID,
    row UInt32,
    received_at DateTime64(3, 'UTC'),
    listing_note LowCardinality(String),
    decision_note LowCardinality(String),
    INDEX by_submission submission TYPE bloom_filter(0.001) GRANULARITY 4,
    INDEX by_time received_at TYPE minmax GRANULARITY 4
)
ENGINE = ReplacingMergeTree
ORDER BY (product, supplier_key, serial_key, holder_key, entry)
SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS supplier_entries_view TO supplier_entries AS
SELECT product, supplier_key, serial_key, holder_key, entry, outcome, status, reason, note, account, supplier, holder,
    series, model, serial, submission, row, received_at, listing_note, decision_note
FROM serial_rows
WHERE entry > 0;

-- For which suppliers an account has ever sent entries: what it sent stays visible to it.
CREATE TABLE IF NOT EXISTS account_suppliers
(
    account String,
    supplier_key String
)
ENGINE = ReplacingMergeTree
ORDER BY (account, supplier_key);

CREATE MATERIALIZED VIEW IF NOT EXISTS account_suppliers_view TO account_suppliers AS
SELECT DISTINCT account, supplier_key
FROM serial_rows
WHERE entry > 0;
