-- The ledger of serial numbers. Every column is a function of the message it came in (L1): a message that is written
-- twice gives the same rows, and ReplacingMergeTree collapses them by identity. Nothing here counts inserts.

-- What the ledger-writer inserts: one row per message. It keeps nothing; the views below spread it over the tables,
-- so that a container is parsed once and a message is never split between two blocks.
CREATE TABLE IF NOT EXISTS decided_batches
(
    submission UUID,
    batch UInt32,
    account String,
    supplier String,
    channel String,
    product String,
    action String,
    received_at DateTime64(3, 'UTC'),
    records Array(Tuple(row UInt32, line UInt32, supplier String, holder String, series String, model String, serial String,
        supplier_key String, holder_key String, serial_key String, status String, reason String, note String, finding String, column String)),
    origin UInt64,
    snapshot String,
    listings Array(Tuple(finding String, note String)),
    decisions Array(Tuple(outcome String, entry UInt32, note String)),
    partition UInt16,
    offset UInt64
)
ENGINE = Null;

-- Every row that was ever received for a serial, in the order in which a serial is looked up.
-- Identity: (submission, row). The state of a serial is the row with its highest entry.
CREATE TABLE IF NOT EXISTS serial_rows
(
    product LowCardinality(String),
    serial_key String,
    holder_key LowCardinality(String),
    submission UUID,
    row UInt32,
    outcome LowCardinality(String),
    entry UInt32,
    action LowCardinality(String),
    account LowCardinality(String),
    supplier LowCardinality(String),
    supplier_key LowCardinality(String),
    holder LowCardinality(String),
    series LowCardinality(String),
    model LowCardinality(String),
    serial String,
    status LowCardinality(String),
    reason LowCardinality(String),
    note String,
    listing LowCardinality(String),
    listing_note LowCardinality(String),
    decision_note LowCardinality(String),
    snapshot LowCardinality(String),
    received_at DateTime64(3, 'UTC'),
    partition UInt16,
    origin UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (product, serial_key, holder_key, submission, row)
SETTINGS index_granularity = 256;

CREATE MATERIALIZED VIEW IF NOT EXISTS serial_rows_view TO serial_rows AS
SELECT product, r.serial_key AS serial_key, r.holder_key AS holder_key, submission, r.row AS row,
    d.outcome AS outcome, d.entry AS entry, action, account,
    r.supplier AS supplier, r.supplier_key AS supplier_key, r.holder AS holder, r.series AS series, r.model AS model, r.serial AS serial,
    r.status AS status, r.reason AS reason, r.note AS note, l.finding AS listing, l.note AS listing_note,
    d.note AS decision_note, snapshot, received_at, partition, origin
FROM decided_batches
ARRAY JOIN records AS r, listings AS l, decisions AS d
WHERE r.serial_key != '';

-- The rows that made no entry, in the order of their file: the error report of a submission.
CREATE TABLE IF NOT EXISTS unregistered_rows
(
    submission UUID,
    row UInt32,
    line UInt32,
    outcome LowCardinality(String),
    finding LowCardinality(String),
    column LowCardinality(String),
    listing LowCardinality(String),
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
    snapshot LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (submission, row);

CREATE MATERIALIZED VIEW IF NOT EXISTS unregistered_rows_view TO unregistered_rows AS
SELECT submission, r.row AS row, r.line AS line, d.outcome AS outcome, r.finding AS finding, r.column AS column,
    l.finding AS listing, l.note AS listing_note, d.note AS decision_note, product,
    r.supplier AS supplier, r.holder AS holder, r.series AS series, r.model AS model, r.serial AS serial,
    r.status AS status, r.reason AS reason, r.serial_key AS serial_key, r.holder_key AS holder_key, snapshot
FROM decided_batches
ARRAY JOIN records AS r, listings AS l, decisions AS d
WHERE d.entry = 0;

-- Outcomes per batch. A copy of a batch that was already decided travels on without records and must not replace it.
CREATE TABLE IF NOT EXISTS batch_outcomes
(
    submission UUID,
    batch UInt32,
    partition UInt16,
    origin UInt64,
    rows UInt32,
    outcomes Map(LowCardinality(String), UInt32)
)
ENGINE = ReplacingMergeTree
ORDER BY (submission, batch);

CREATE MATERIALIZED VIEW IF NOT EXISTS batch_outcomes_view TO batch_outcomes AS
SELECT submission, batch, partition, origin, toUInt32(length(records)) AS rows,
    mapFromArrays(
        arrayDistinct(decisions.outcome),
        arrayMap(kind -> toUInt32(countEqual(decisions.outcome, kind)), arrayDistinct(decisions.outcome))) AS outcomes
FROM decided_batches
WHERE notEmpty(records);

-- What was accepted: one row per submission, written from the manifest.
CREATE TABLE IF NOT EXISTS submissions
(
    submission UUID,
    account LowCardinality(String),
    supplier LowCardinality(String),
    channel LowCardinality(String),
    product LowCardinality(String),
    action LowCardinality(String),
    received_at DateTime64(3, 'UTC'),
    file_name String,
    idempotency_key String,
    body_sha256 String,
    body_gzip String CODEC(NONE),
    body_bytes UInt64,
    declaration LowCardinality(String),
    declared_by LowCardinality(String),
    batching_version UInt16,
    rows UInt32,
    batches UInt32,
    partitions Array(Tuple(partition UInt16, rows UInt32, batches UInt32, last_offset UInt64)),
    INDEX by_idempotency_key (account, idempotency_key) TYPE bloom_filter GRANULARITY 1
)
ENGINE = ReplacingMergeTree
ORDER BY submission;

-- L3: the origin up to which everything of a partition is in ClickHouse. Read as max; Kafka offsets start at 0.
CREATE TABLE IF NOT EXISTS watermarks
(
    topic LowCardinality(String),
    partition UInt16,
    origin UInt64
)
ENGINE = ReplacingMergeTree(origin)
ORDER BY (topic, partition);

-- L5: messages with rows that could not be processed, from whichever stage. The bytes are in the topic dead.letters.
CREATE TABLE IF NOT EXISTS dead_letters
(
    stage LowCardinality(String),
    partition UInt16,
    origin UInt64,
    submission String,
    batch UInt32,
    rows UInt32,
    cause String,
    settled UInt8
)
ENGINE = ReplacingMergeTree(settled)
ORDER BY (stage, partition, origin, submission, batch);

-- D7: every index generation ever begun. `preparing` before Redis knows it, `ready` before the first decision under it.
CREATE TABLE IF NOT EXISTS index_generations
(
    scope LowCardinality(String),
    topic_generation UInt32,
    generation UInt64,
    state LowCardinality(String),
    hash_key String,
    buckets UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (scope, topic_generation, generation, state);
