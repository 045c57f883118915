-- Claims: every event with its evidence and its decision. As in migration 0001, every column is a function of the message
-- (L1), and a message that is written twice gives the same rows.

-- What the ledger-writer inserts: one row per message of claims.decided. It keeps nothing; the views spread it.
CREATE TABLE IF NOT EXISTS decided_claims
(
    event String, kind LowCardinality(String), claim String, unit String, account LowCardinality(String),
    submitted_by String, received_at DateTime64(3, 'UTC'), reason String, audit LowCardinality(String),
    unit_kind LowCardinality(String), installed_on String, compliance_on String, address String, locality String,
    state LowCardinality(String), postcode LowCardinality(String), installation_type LowCardinality(String),
    complete_unit LowCardinality(String), earlier_code String, existing_kw String, rated_power_kw String,
    panel_count Int32,
    equipment Array(Tuple(product String, holder String, series String, model String, quantity Int32,
        serials Array(String))),
    resource_hours String, hours_audit String, auditor String, nominal_kwh String, usable_kwh String,
    with_solar LowCardinality(String), vpp_ready LowCardinality(String), deeming LowCardinality(String),
    years_already_deemed LowCardinality(String), still_installed LowCardinality(String), installer String,
    installer_accreditation String, designer_accreditation String, accredited LowCardinality(String), owner String,
    owner_contact String, claimant LowCardinality(String), assignment String, assigned_on String, verified Bool,
    spv_package String, retailer_abn String, nmi String,
    credits Tuple(requested String, premises String, unit_programmes String, premises_programmes String,
        new_unit String, metered String, multiplied_before String, off_grid String, contract_on String,
        statutory_declaration String),
    claimed_certificates Int32, source_partition Int32, source_offset Int64, created_on String,
    stamps Array(Tuple(partition Int32, stamp Int64, watermark Int64)),
    serial_evidence Array(Tuple(product String, serial_key String, state String, entries Array(Tuple(holder String,
        holder_key String, supplier String, account String, series String, model String, entry Int32, outcome String,
        status String, registered_on String, entered_at Int64, conflict Bool)))),
    model_evidence Array(Tuple(product String, holder_key String, series_key String, model_key String, state String,
        windows Array(Tuple(approved String, expires String, snapshot String)), usable_kwh String,
        nominal_kwh String, authority String, ineligible String)),
    snapshot LowCardinality(String), rules_version Int32, evidenced_offset Int64, decision LowCardinality(String),
    status LowCardinality(String),
    findings Array(Tuple(code String, effect String, subject String, detail String, reference String)),
    entitlement LowCardinality(String), certificates Int32, unrounded String, annual_mwh String,
    working Array(String), rule_ids Array(String), rule_set LowCardinality(String), accreditation_code String,
    certificate_year Int32, first_number Int64, last_number Int64, certificate_status LowCardinality(String)
)
ENGINE = Null;

-- One row per event, with all that its decision was computed from. The state of a claim is its event with the highest
-- evidenced_offset. What tells of persons is in claim_parties, so that it can be granted apart.
CREATE TABLE IF NOT EXISTS claims
(
    event String, kind LowCardinality(String), claim String, unit String, account LowCardinality(String),
    submitted_by String, received_at DateTime64(3, 'UTC'), reason String, audit LowCardinality(String),
    unit_kind LowCardinality(String), installed_on String, compliance_on String, state LowCardinality(String),
    postcode LowCardinality(String), installation_type LowCardinality(String), complete_unit LowCardinality(String),
    earlier_code String, existing_kw String, rated_power_kw String, panel_count Int32,
    equipment Array(Tuple(product String, holder String, series String, model String, quantity Int32,
        serials Array(String))),
    resource_hours String, hours_audit String, nominal_kwh String, usable_kwh String,
    with_solar LowCardinality(String), vpp_ready LowCardinality(String), deeming LowCardinality(String),
    years_already_deemed LowCardinality(String), still_installed LowCardinality(String),
    accredited LowCardinality(String), claimant LowCardinality(String), assignment String, assigned_on String,
    verified Bool, spv_package String,
    credits Tuple(requested String, premises String, unit_programmes String, premises_programmes String,
        new_unit String, metered String, multiplied_before String, off_grid String, contract_on String,
        statutory_declaration String),
    claimed_certificates Int32, source_partition Int32, source_offset Int64, created_on String,
    stamps Array(Tuple(partition Int32, stamp Int64, watermark Int64)),
    serial_evidence Array(Tuple(product String, serial_key String, state String, entries Array(Tuple(holder String,
        holder_key String, supplier String, account String, series String, model String, entry Int32, outcome String,
        status String, registered_on String, entered_at Int64, conflict Bool)))),
    model_evidence Array(Tuple(product String, holder_key String, series_key String, model_key String, state String,
        windows Array(Tuple(approved String, expires String, snapshot String)), usable_kwh String,
        nominal_kwh String, authority String, ineligible String)),
    snapshot LowCardinality(String), rules_version Int32, evidenced_offset Int64, decision LowCardinality(String),
    status LowCardinality(String),
    findings Array(Tuple(code String, effect String, subject String, detail String, reference String)),
    entitlement LowCardinality(String), certificates Int32, unrounded String, annual_mwh String,
    working Array(String), rule_ids Array(String), rule_set LowCardinality(String), accreditation_code String,
    certificate_year Int32, first_number Int64, last_number Int64, certificate_status LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (claim, event);

CREATE MATERIALIZED VIEW IF NOT EXISTS claims_view TO claims AS
SELECT
    event, kind, claim, unit, account, submitted_by, received_at, reason, audit, unit_kind, installed_on,
    compliance_on, state, postcode, installation_type, complete_unit, earlier_code, existing_kw, rated_power_kw,
    panel_count, equipment, resource_hours, hours_audit, nominal_kwh, usable_kwh, with_solar, vpp_ready, deeming,
    years_already_deemed, still_installed, accredited, claimant, assignment, assigned_on, verified, spv_package,
    credits, claimed_certificates, source_partition, source_offset, created_on, stamps, serial_evidence,
    model_evidence, snapshot, rules_version, evidenced_offset, decision, status, findings, entitlement, certificates,
    unrounded, annual_mwh, working, rule_ids, rule_set, accreditation_code, certificate_year, first_number,
    last_number, certificate_status
FROM decided_claims;

-- Owners, installers, auditors and addresses.
CREATE TABLE IF NOT EXISTS claim_parties
(
    claim String, event String,
    address String, locality String, auditor String, installer String, installer_accreditation String,
    designer_accreditation String, owner String, owner_contact String, retailer_abn String, nmi String
)
ENGINE = ReplacingMergeTree
ORDER BY (claim, event);

CREATE MATERIALIZED VIEW IF NOT EXISTS claim_parties_view TO claim_parties AS
SELECT claim, event,
    address, locality, auditor, installer, installer_accreditation, designer_accreditation, owner, owner_contact,
    retailer_abn, nmi
FROM decided_claims
WHERE kind = 'claim';

-- Which claims name a serial: in the order in which a serial is looked up.
CREATE TABLE IF NOT EXISTS claim_serials
(
    product LowCardinality(String),
    serial_key String,
    claim String,
    event String,
    evidence LowCardinality(String) COMMENT 'found, not_found, not_checked',
    evidenced_offset Int64
)
ENGINE = ReplacingMergeTree
ORDER BY (product, serial_key, claim, event)
SETTINGS index_granularity = 256;

CREATE MATERIALIZED VIEW IF NOT EXISTS claim_serials_view TO claim_serials AS
SELECT s.product AS product, s.serial_key AS serial_key, claim, event, s.state AS evidence, evidenced_offset
FROM decided_claims
ARRAY JOIN serial_evidence AS s
WHERE kind = 'claim';

-- Each claim as it stands. Figures are those of the approval, where there was one; an event that did not apply changes
-- nothing.
CREATE VIEW IF NOT EXISTS claim_states AS
SELECT claim, any(c.unit) AS unit,
    argMax(c.account, (c.kind = 'claim', c.evidenced_offset)) AS account,
    argMax(c.unit_kind, (c.kind = 'claim', c.evidenced_offset)) AS unit_kind,
    argMax(c.status, c.evidenced_offset) AS status,
    argMaxIf(c.decision, c.evidenced_offset, c.kind = 'claim') AS decision,
    argMaxIf(c.findings, c.evidenced_offset, c.kind = 'claim') AS findings,
    maxIf(c.certificates, c.decision = 'approved') AS certificates,
    argMax(c.accreditation_code, (c.accreditation_code != '', c.evidenced_offset)) AS accreditation_code,
    maxIf(c.certificate_year, c.decision = 'approved') AS certificate_year,
    maxIf(c.first_number, c.decision = 'approved') AS first_number,
    maxIf(c.last_number, c.decision = 'approved') AS last_number,
    argMax(c.certificate_status, c.evidenced_offset) AS certificate_status,
    min(c.received_at) AS submitted_at, max(c.evidenced_offset) AS latest_offset
FROM claims AS c
WHERE c.decision != 'not_applied'
GROUP BY claim;
