-- What the regulator's staff read with SQL: deploy/clickhouse/REGULATOR.md says how, with examples. No view tells of persons: those
-- stand in claim_parties alone. A row that was written twice shows once in each.

-- Every change of every serial, in the order of its entries. Rows that made no entry are in serial_rows.
CREATE VIEW IF NOT EXISTS entries AS
SELECT product, serial, holder, entry, outcome, status, reason, note, model, series, supplier, account, received_at,
    submission, row, listing, listing_note, decision_note, snapshot, serial_key, holder_key, supplier_key, partition, origin
FROM serial_rows FINAL
WHERE entry > 0;

-- Each serial under each holder as it stands. What it is, its latest registration says; whether it is valid, the latest of
-- registrations and invalidations: a change of status is no change of validity. Its status is that of its latest entry.
CREATE VIEW IF NOT EXISTS current_serials AS
SELECT r.product AS product, r.serial_key AS serial_key, r.holder_key AS holder_key,
    argMaxIf(r.serial, r.entry, r.outcome = 'registered') AS serial,
    argMaxIf(r.holder, r.entry, r.outcome = 'registered') AS holder,
    argMaxIf(r.series, r.entry, r.outcome = 'registered') AS series,
    argMaxIf(r.model, r.entry, r.outcome = 'registered') AS model,
    argMaxIf(r.supplier, r.entry, r.outcome = 'registered') AS supplier,
    argMaxIf(r.supplier_key, r.entry, r.outcome = 'registered') AS supplier_key,
    if(argMaxIf(r.outcome, r.entry, r.outcome IN ('registered', 'invalidated')) = 'invalidated', 'invalid', 'registered')
        AS state,
    argMaxIf(r.status, r.entry, r.entry > 0) AS status,
    argMaxIf(r.reason, r.entry, r.entry > 0) AS reason,
    argMaxIf(r.account, r.entry, r.entry > 0) AS changed_by,
    argMaxIf(r.received_at, r.entry, r.entry > 0) AS changed_at,
    minIf(r.received_at, r.outcome = 'registered') AS registered_at,
    max(r.entry) AS entries,
    uniqExactIf(r.supplier_key, r.outcome = 'conflict') AS disputing
FROM serial_rows AS r
GROUP BY r.product, r.serial_key, r.holder_key
HAVING entries > 0;

-- Conflicts that no ruling settles. A ruling speaks of the parties that it names: another holder of the serial, or another
-- supplier that was refused since, opens the conflict anew. A copy of a ruling counts where it stands first.
CREATE VIEW IF NOT EXISTS open_conflicts AS
SELECT c.product AS product, c.serial_key AS serial_key, c.holder_key AS holder_key, c.serial AS serial,
    c.holder AS holder, c.model AS model, c.latest_outcome AS latest_outcome, c.held_by AS held_by, c.held AS held,
    c.disputing AS disputing
FROM conflicts AS c
LEFT JOIN
(
    SELECT product, serial_key, holder_key, argMax(what, first) AS latest, argMax(holding, first) AS winner,
        argMax(refused, first) AS losers
    FROM
    (
        SELECT product, serial_key, holder_key, ruling, any(kind) AS what, any(held_by) AS holding,
            any(disputed_by) AS refused, min(offset) AS first
        FROM rulings
        WHERE kind IN ('conflict_resolved', 'conflict_reopened')
        GROUP BY product, serial_key, holder_key, ruling
    )
    GROUP BY product, serial_key, holder_key
) AS r ON r.product = c.product AND r.serial_key = c.serial_key AND r.holder_key = c.holder_key
WHERE NOT (r.latest = 'conflict_resolved' AND r.winner = c.held_by AND hasAll(r.losers, c.disputing.supplier_key));

-- The certificates of each claim that was granted any: one range of numbers, and its state. `waiting_since` says since when
-- it is as it is; validation takes up to four weeks (TIME-6).
CREATE VIEW IF NOT EXISTS certificates AS
SELECT claim,
    argMaxIf(c.accreditation_code, c.evidenced_offset, c.decision = 'approved') AS accreditation_code,
    argMaxIf(c.certificate_year, c.evidenced_offset, c.decision = 'approved') AS certificate_year,
    argMaxIf(c.first_number, c.evidenced_offset, c.decision = 'approved') AS first_number,
    argMaxIf(c.last_number, c.evidenced_offset, c.decision = 'approved') AS last_number,
    last_number - first_number + 1 AS certificates,
    argMax(c.certificate_status, c.evidenced_offset) AS certificate_status,
    argMaxIf(c.account, c.evidenced_offset, c.kind = 'claim') AS account,
    argMaxIf(c.unit_kind, c.evidenced_offset, c.kind = 'claim') AS unit_kind,
    argMaxIf(c.installed_on, c.evidenced_offset, c.kind = 'claim') AS installed_on,
    argMaxIf(c.state, c.evidenced_offset, c.kind = 'claim') AS state,
    argMaxIf(c.postcode, c.evidenced_offset, c.kind = 'claim') AS postcode,
    minIf(c.received_at, c.decision = 'approved') AS created_at,
    argMax(c.received_at, c.evidenced_offset) AS waiting_since,
    argMax(c.reason, c.evidenced_offset) AS reason
FROM claims AS c
WHERE c.decision != 'not_applied'
GROUP BY claim
HAVING last_number > 0;
