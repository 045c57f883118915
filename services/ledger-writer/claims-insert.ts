import { sentinelCheck } from './serials-insert.ts';

/**
 * One row per message of `claims.decided`, in whichever version of its schema; what version 1 lacks is empty. The views of
 * migrations 0003 and 0007 spread it over the tables. Columns are named: a release that knows fewer can go on writing.
 */
export const decidedClaimsInsert = `
INSERT INTO decided_claims
(
    event, kind, claim, unit, account, submitted_by, received_at, reason, audit,
    unit_kind, installed_on, compliance_on, address, locality, state, postcode, installation_type, complete_unit,
    earlier_code, existing_kw, rated_power_kw, panel_count, equipment, resource_hours, hours_audit, auditor,
    nominal_kwh, usable_kwh, with_solar, vpp_ready, deeming, years_already_deemed, still_installed, installer,
    installer_accreditation, designer_accreditation, accredited, owner, owner_contact, claimant, assignment,
    assigned_on, verified, spv_package, retailer_abn, nmi, credits, claimed_certificates, source_partition,
    source_offset, created_on, stamps, serial_evidence, model_evidence, snapshot, rules_version, evidenced_offset,
    decision, status, findings, entitlement, certificates, unrounded, annual_mwh, working, rule_ids, rule_set,
    accreditation_code, certificate_year, first_number, last_number, certificate_status,
    based_on, asked_by, waived, file, record, evidenced_at, rulings_offset, ineligible_serials, premises, state_before
)
SELECT
    event, kind, claim, unit, account, submitted_by, fromUnixTimestamp64Milli(received_at, 'UTC'), reason, audit,
    unit_kind, installed_on, compliance_on, address, locality, state, postcode, installation_type, complete_unit,
    earlier_code, existing_kw, rated_power_kw, panel_count, equipment, resource_hours, hours_audit, auditor,
    nominal_kwh, usable_kwh, with_solar, vpp_ready, deeming, years_already_deemed, still_installed, installer,
    installer_accreditation, designer_accreditation, accredited, owner, owner_contact, claimant, assignment,
    assigned_on, verified, spv_package, retailer_abn, nmi, credits, claimed_certificates, source_partition,
    source_offset, created_on, stamps, serial_evidence, model_evidence, snapshot, rules_version, evidenced_offset,
    decision, status, findings, entitlement, certificates, unrounded, annual_mwh, working, rule_ids, rule_set,
    accreditation_code, certificate_year, first_number, last_number, certificate_status,
    based_on, asked_by, waived, file, record, evidenced_at, if(evidenced_at = 0, -1, rulings_offset), ineligible_serials, premises, state_before
FROM input('event String, kind String, claim String, unit String, account String, submitted_by String, received_at Int64,
    reason String, audit String, unit_kind String, installed_on String, compliance_on String, address String,
    locality String, state String, postcode String, installation_type String, complete_unit String,
    earlier_code String, existing_kw String, rated_power_kw String, panel_count Int32,
    equipment Array(Tuple(product String, holder String, series String, model String, quantity Int32,
        serials Array(String))),
    resource_hours String, hours_audit String, auditor String, nominal_kwh String, usable_kwh String,
    with_solar String, vpp_ready String, deeming String, years_already_deemed String, still_installed String,
    installer String, installer_accreditation String, designer_accreditation String, accredited String, owner String,
    owner_contact String, claimant String, assignment String, assigned_on String, verified Bool, spv_package String,
    retailer_abn String, nmi String,
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
    snapshot String, rules_version Int32, evidenced_offset Int64, decision String, status String,
    findings Array(Tuple(code String, effect String, subject String, detail String, reference String)),
    entitlement String, certificates Int32, unrounded String, annual_mwh String, working Array(String),
    rule_ids Array(String), rule_set String, accreditation_code String, certificate_year Int32, first_number Int64,
    last_number Int64, certificate_status String, based_on String, asked_by String,
    waived Array(Tuple(code String, subject String)), file String, record Int32, evidenced_at Int64,
    rulings_offset Int64, ineligible_serials Array(Tuple(product String, serial_key String, reason String)),
    premises String, state_before String, partition Int32, offset Int64, sentinel Int64')
WHERE ${sentinelCheck}
SETTINGS input_format_avro_allow_missing_fields = 1
FORMAT Avro`;

/** The offset is a column: the first copy of a ruling counts. */
export const rulingsInsert = `
INSERT INTO rulings
(
    ruling, kind, account, submitted_by, received_at, reason, product, holder, holder_key, model, model_key, serial,
    serial_key, from_day, held_by, disputed_by, offset
)
SELECT ruling, kind, account, submitted_by, fromUnixTimestamp64Milli(received_at, 'UTC'), reason, product, holder,
    holder_key, model, model_key, serial, serial_key, from_day, held_by, disputed_by, offset
FROM input('ruling String, kind String, account String, submitted_by String, received_at Int64, reason String,
    product String, holder String, holder_key String, model String, model_key String, serial String, serial_key String,
    from_day String, held_by String, disputed_by Array(String), partition Int32, offset Int64, sentinel Int64')
WHERE ${sentinelCheck}
FORMAT Avro`;
