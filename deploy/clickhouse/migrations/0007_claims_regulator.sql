-- Claims: what version 2 of their schemas adds, the regulator's rulings, and what the register and conflicts are read from.

ALTER TABLE decided_claims ADD COLUMN IF NOT EXISTS based_on String;
ALTER TABLE decided_claims ADD COLUMN IF NOT EXISTS asked_by String;
ALTER TABLE decided_claims ADD COLUMN IF NOT EXISTS waived Array(Tuple(code String, subject String));
ALTER TABLE decided_claims ADD COLUMN IF NOT EXISTS file String;
ALTER TABLE decided_claims ADD COLUMN IF NOT EXISTS record Int32;
ALTER TABLE decided_claims ADD COLUMN IF NOT EXISTS evidenced_at Int64;
ALTER TABLE decided_claims ADD COLUMN IF NOT EXISTS rulings_offset Int64 DEFAULT -1;
ALTER TABLE decided_claims ADD COLUMN IF NOT EXISTS ineligible_serials Array(Tuple(product String, serial_key String, reason String));
ALTER TABLE decided_claims ADD COLUMN IF NOT EXISTS premises String;
ALTER TABLE decided_claims ADD COLUMN IF NOT EXISTS state_before String;

ALTER TABLE claims ADD COLUMN IF NOT EXISTS based_on String;
ALTER TABLE claims ADD COLUMN IF NOT EXISTS asked_by String;
ALTER TABLE claims ADD COLUMN IF NOT EXISTS waived Array(Tuple(code String, subject String));
ALTER TABLE claims ADD COLUMN IF NOT EXISTS file String;
ALTER TABLE claims ADD COLUMN IF NOT EXISTS record Int32;
ALTER TABLE claims ADD COLUMN IF NOT EXISTS evidenced_at Int64;
ALTER TABLE claims ADD COLUMN IF NOT EXISTS rulings_offset Int64 DEFAULT -1;
ALTER TABLE claims ADD COLUMN IF NOT EXISTS ineligible_serials Array(Tuple(product String, serial_key String, reason String));
ALTER TABLE claims ADD COLUMN IF NOT EXISTS premises String;
ALTER TABLE claims ADD COLUMN IF NOT EXISTS state_before String;
ALTER TABLE claims ADD INDEX IF NOT EXISTS by_file file TYPE bloom_filter GRANULARITY 1;
ALTER TABLE claims ADD INDEX IF NOT EXISTS by_code accreditation_code TYPE bloom_filter GRANULARITY 1;
ALTER TABLE claims ADD INDEX IF NOT EXISTS by_premises premises TYPE bloom_filter GRANULARITY 1;
ALTER TABLE claims ADD INDEX IF NOT EXISTS by_account account TYPE set(100) GRANULARITY 1;

ALTER TABLE claims_view MODIFY QUERY
SELECT
    event, kind, claim, unit, account, submitted_by, received_at, reason, audit, unit_kind, installed_on,
    compliance_on, state, postcode, installation_type, complete_unit, earlier_code, existing_kw, rated_power_kw,
    panel_count, equipment, resource_hours, hours_audit, nominal_kwh, usable_kwh, with_solar, vpp_ready, deeming,
    years_already_deemed, still_installed, accredited, claimant, assignment, assigned_on, verified, spv_package,
    credits, claimed_certificates, source_partition, source_offset, created_on, stamps, serial_evidence,
    model_evidence, snapshot, rules_version, evidenced_offset, decision, status, findings, entitlement, certificates,
    unrounded, annual_mwh, working, rule_ids, rule_set, accreditation_code, certificate_year, first_number,
    last_number, certificate_status, based_on, asked_by, waived, file, record, evidenced_at, rulings_offset,
    ineligible_serials, premises, state_before
FROM decided_claims;

-- What was done to certificates, in the order of the public register (PUB-1). The day is that of Sydney (TIME-4).
CREATE TABLE IF NOT EXISTS certificate_actions
(
    acted_on Date,
    evidenced_offset Int64,
    claim String,
    event String,
    decision LowCardinality(String),
    acted_at DateTime64(3, 'UTC'),
    accreditation_code String,
    certificate_year Int32,
    first_number Int64,
    last_number Int64,
    certificate_status LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (acted_on, evidenced_offset, event);

-- Messages of version 1 do not say when their evidence was complete: then it is the receipt.
CREATE MATERIALIZED VIEW IF NOT EXISTS certificate_actions_view TO certificate_actions AS
SELECT toDate(acted_at, 'Australia/Sydney') AS acted_on, evidenced_offset, claim, event, decision,
    if(evidenced_at > 0, fromUnixTimestamp64Milli(evidenced_at, 'UTC'), received_at) AS acted_at,
    accreditation_code, certificate_year, first_number, last_number, certificate_status
FROM decided_claims
WHERE certificate_status != '' AND decision != 'not_applied';

-- The regulator's word on models, serials and conflicts. A copy of a ruling has a later offset: the first one counts.
CREATE TABLE IF NOT EXISTS rulings
(
    ruling String,
    kind LowCardinality(String),
    account LowCardinality(String),
    submitted_by String,
    received_at DateTime64(3, 'UTC'),
    reason String,
    product LowCardinality(String),
    holder String,
    holder_key String,
    model String,
    model_key String,
    serial String,
    serial_key String,
    from_day String,
    held_by String,
    disputed_by Array(String),
    offset UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (product, serial_key, model_key, holder_key, ruling, offset);

-- Conflicts are few: granules without one need not be read.
ALTER TABLE serial_rows ADD INDEX IF NOT EXISTS by_outcome outcome TYPE set(16) GRANULARITY 16;

-- Each serial that another supplier was refused, with both sides. Whether a ruling settles it is for the reader to say.
CREATE VIEW IF NOT EXISTS conflicts AS
SELECT r.product AS product, r.serial_key AS serial_key, r.holder_key AS holder_key,
    argMaxIf(r.serial, r.entry, r.outcome = 'registered') AS serial,
    argMaxIf(r.holder, r.entry, r.outcome = 'registered') AS holder,
    argMaxIf(r.model, r.entry, r.outcome = 'registered') AS model,
    argMaxIf(r.outcome, r.entry, r.entry > 0) AS latest_outcome,
    argMaxIf(r.supplier_key, r.entry, r.outcome = 'registered') AS held_by,
    argMaxIf((r.supplier, r.account, r.submission, r.row, toUnixTimestamp64Milli(r.received_at))
        ::Tuple(supplier String, account String, submission UUID, row UInt32, received_at Int64),
        r.entry, r.outcome = 'registered') AS held,
    arrayFilter(other -> other.supplier_key != held_by,
        arraySort(other -> (other.received_at, other.submission, other.row), groupUniqArrayIf(
            (r.supplier, r.supplier_key, r.account, r.model, r.submission, r.row, toUnixTimestamp64Milli(r.received_at))
            ::Tuple(supplier String, supplier_key String, account String, model String, submission UUID, row UInt32,
                received_at Int64),
            r.outcome = 'conflict'))) AS disputing
FROM serial_rows AS r
WHERE (r.product, r.serial_key, r.holder_key) IN
    (SELECT product, serial_key, holder_key FROM serial_rows WHERE outcome = 'conflict')
GROUP BY r.product, r.serial_key, r.holder_key
HAVING notEmpty(disputing);
