-- The stream that a submission is a part of, and where its rows stand in it; empty for submissions of their own.
ALTER TABLE submissions ADD COLUMN IF NOT EXISTS stream String;
ALTER TABLE submissions ADD COLUMN IF NOT EXISTS first_row UInt64;
ALTER TABLE submissions ADD COLUMN IF NOT EXISTS media_type LowCardinality(String);

-- The parts of each stream in their order: how far it is committed, and what was committed.
CREATE TABLE IF NOT EXISTS stream_parts
(
    stream String,
    first_row UInt64,
    submission UUID,
    rows UInt32,
    body_sha256 String,
    account LowCardinality(String),
    product LowCardinality(String),
    action LowCardinality(String),
    received_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (stream, first_row, submission);

CREATE MATERIALIZED VIEW IF NOT EXISTS stream_parts_view TO stream_parts AS
SELECT stream, first_row, submission, rows, body_sha256, account, product, action, received_at
FROM submissions
WHERE stream != '';
