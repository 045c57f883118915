-- Verdicts of the regulator's own jobs over files of claims (npm run assess). They change nothing in the registry.

-- What a job was begun on, and that it is done. What it is begun on decides every verdict: when it is interrupted, it goes on
-- with the same.
CREATE TABLE IF NOT EXISTS assessment_events
(
    job String,
    event LowCardinality(String) COMMENT 'begun, done',
    at DateTime64(3, 'UTC'),
    file String,
    file_sha256 String,
    run UInt32 COMMENT 'how many times this file was assessed, this one included',
    watermarks Array(Tuple(partition UInt16, origin Int64)),
    claims_up_to Int64,
    snapshots Array(Tuple(product String, publication String)),
    rulings_up_to Int64,
    rules_version UInt16,
    accepted Array(String) COMMENT 'done: findings that were accepted in whatever share',
    claims UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (job, event, at);

-- One row per record of the file. `state`: what the verdict leaves for later records that name the same unit, premises or
-- serial.
CREATE TABLE IF NOT EXISTS assessment_rows
(
    job String,
    record UInt32,
    line UInt32,
    claim String,
    unit_kind LowCardinality(String),
    serials UInt32,
    decision LowCardinality(String) COMMENT 'approved, held, refused, unreadable',
    certificates Int32,
    entitlement LowCardinality(String),
    unrounded String,
    rule_set LowCardinality(String),
    findings Array(Tuple(code LowCardinality(String), effect LowCardinality(String), subject String, detail String,
        reference String)),
    state String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (job, record);

CREATE VIEW IF NOT EXISTS assessments AS
SELECT job, argMinIf(e.file, e.at, e.event = 'begun') AS file, minIf(e.at, e.event = 'begun') AS begun_at,
    if(countIf(e.event = 'done') = 0, NULL, maxIf(e.at, e.event = 'done')) AS done_at,
    maxIf(e.claims, e.event = 'done') AS claims
FROM assessment_events AS e
GROUP BY job;

-- The verdicts of jobs that are done, each once.
CREATE VIEW IF NOT EXISTS assessment_verdicts AS
SELECT job, record, line, claim, unit_kind, serials, decision, certificates, entitlement, unrounded, rule_set, findings
FROM assessment_rows FINAL
WHERE job IN (SELECT job FROM assessment_events WHERE event = 'done');
