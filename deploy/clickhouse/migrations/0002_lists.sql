-- The approved lists of the Clean Energy Council: every snapshot is kept (CEC-7), as it was, under its date and hash.

-- The distinct rows of a snapshot. Written before the snapshot itself: rows without their snapshot do not count.
-- What models are found by depends on the release: one that folds texts otherwise writes the rows again when it publishes.
CREATE TABLE IF NOT EXISTS listings
(
    product LowCardinality(String),
    snapshot LowCardinality(String),
    row UInt32 COMMENT 'line of the file where the row stands first',
    holder LowCardinality(String),
    brand LowCardinality(String),
    series String,
    model String,
    approved Date32,
    expires Date32,
    nominal_kwh String COMMENT 'exact decimal without trailing zeros, or empty',
    usable_kwh String,
    ac_power_kw String,
    fire_tested LowCardinality(String),
    holder_key LowCardinality(String) COMMENT 'normalised as in serial records',
    model_key String COMMENT 'normalised in the same way',
    key_version UInt16 COMMENT 'version of the normalisation'
)
ENGINE = ReplacingMergeTree(key_version)
ORDER BY (product, snapshot, row);

CREATE TABLE IF NOT EXISTS list_snapshots
(
    product LowCardinality(String),
    snapshot String COMMENT 'product, date and start of the hash',
    taken_on Date32,
    sha256 String,
    file_name String,
    rows UInt32 COMMENT 'rows of the file',
    listings UInt32 COMMENT 'distinct rows',
    models UInt32 COMMENT 'distinct (holder, model)',
    imported_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (product, snapshot);

-- What was published for look-ups: the union of snapshots that a finding's snapshot id stands for (WIN-5).
CREATE TABLE IF NOT EXISTS list_publications
(
    product LowCardinality(String),
    publication String,
    latest String COMMENT 'the newest of the snapshots',
    snapshots Array(String),
    models UInt32,
    published_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (product, publication);
