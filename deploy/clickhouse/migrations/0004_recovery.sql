-- What rebuilding the index and repairing dead letters need to know.

-- R1: the copies that dedup remembers are told by receipt, so the receipt of the copy that was decided is kept. Batches
-- written before this column have 1970 there; the receipt of their submission is taken instead.
ALTER TABLE batch_outcomes ADD COLUMN IF NOT EXISTS received_at DateTime64(3, 'UTC');

ALTER TABLE batch_outcomes_view MODIFY QUERY
SELECT submission, batch, partition, origin, toUInt32(length(records)) AS rows,
    mapFromArrays(
        arrayDistinct(decisions.outcome),
        arrayMap(kind -> toUInt32(countEqual(decisions.outcome, kind)), arrayDistinct(decisions.outcome))) AS outcomes,
    received_at
FROM decided_batches
WHERE notEmpty(records);

-- In dead_letters, `settled` is 0 while the rows wait, 1 once they are in the ledger, 2 when somebody discarded them.
ALTER TABLE dead_letters COMMENT COLUMN settled '0 waits, 1 its rows are in the ledger, 2 discarded';

-- Who did what to a dead letter, and why. `letter` is its offset in the topic dead.letters; nothing is ever removed.
CREATE TABLE IF NOT EXISTS dead_letter_actions
(
    letter UInt64,
    at DateTime64(3, 'UTC'),
    action LowCardinality(String) COMMENT 'replay, replayed, discard',
    by String,
    why String,
    topic LowCardinality(String) COMMENT 'replayed: where the copy lies',
    partition UInt16,
    offset Int64
)
ENGINE = ReplacingMergeTree
ORDER BY (letter, at, action);
