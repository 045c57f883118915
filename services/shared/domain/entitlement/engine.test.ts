import { describe, expect, test } from 'vitest';
import type { EntitlementInput } from './columns.ts';
import { premisesKinds } from './data/premises.ts';
import { assessEntitlement, computeEntitlement } from './engine.ts';
import { defaultPolicy, type Policy } from './kinds.ts';
import { effectOf, type ReasonCode, reasonCatalogue } from './reasons.ts';
import type { Entitlement } from './result.ts';

const solar: EntitlementInput = { system_type: 'solar', zone: '3', kw: '5', install_date: '2010-03-01' };
const wind: EntitlementInput = { system_type: 'wind', kw: '5', install_date: '2010-03-01' };
const hydro: EntitlementInput = { system_type: 'hydro', kw: '5', install_date: '2010-03-01' };
const battery: EntitlementInput = {
  system_type: 'battery',
  nominal_kwh: '10',
  usable_kwh: '10',
  install_date: '2025-07-15',
};
const credited: EntitlementInput = { ...solar, solar_credits: 'yes' };

function findings(result: Entitlement): readonly string[] {
  return [...result.reasons, ...result.notices].map(({ code, rule }) => `${code} ${rule}`);
}

interface RuleRow {
  readonly rule: string;
  readonly code: ReasonCode;
  readonly base: EntitlementInput;
  /** Meets the rule, as closely as it can. */
  readonly passes: EntitlementInput;
  /** Nearly meets it. */
  readonly fails: EntitlementInput;
}

const row = (
  code: ReasonCode,
  rule: string,
  base: EntitlementInput,
  passes: EntitlementInput,
  fails: EntitlementInput,
): RuleRow => ({ code, rule, base, passes, fails });

// One row for each rule, in the precedence of the catalogue (which is the order of the result's reasons).
const ruleTable: readonly RuleRow[] = [
  row(
    'field_missing',
    'CLM-1',
    { system_type: 'solar', zone: '3', kw: '5' },
    { install_date: '2010-03-01' },
    {},
  ),
  row('field_missing', 'CLM-1', { ...solar, zone: '' }, { postcode: '2315' }, { postcode: ' ' }),
  row('field_missing', 'CLM-1', { ...battery, usable_kwh: '' }, { usable_kwh: '0.001' }, {}),
  row('field_invalid', 'CLM-1', solar, { kw: '2.500' }, { kw: '2.5001' }),
  row('field_invalid', 'CLM-1', solar, { kw: '0.001' }, { kw: '0.000' }),
  row('field_invalid', 'CLM-1', solar, { install_date: '2012-02-29' }, { install_date: '2011-02-29' }),
  row('field_invalid', 'CLM-1', solar, { postcode: '0800' }, { postcode: '800' }),
  row('field_invalid', 'CLM-1', wind, { resource_hours: '1' }, { resource_hours: '0' }),
  row('field_invalid', 'CLM-1', { ...wind, kw: '1' }, { resource_hours: '8760' }, { resource_hours: '8761' }),
  row('field_invalid', 'CLM-1', solar, { deeming_years: '5.0' }, { deeming_years: '5.5' }),
  row('field_invalid', 'BAT-3', battery, { usable_kwh: '10.000' }, { usable_kwh: '10.001' }),
  row(
    'field_invalid',
    'TIME-4',
    { ...solar, today: '2010-05-05' },
    { created_on: '2010-05-05' },
    { created_on: '2010-05-06' },
  ),
  row('field_not_for_kind', 'CLM-1', battery, { deeming_years: 'max' }, { deeming_years: '5' }),
  row('field_not_for_kind', 'CLM-1', solar, { resource_hours: '' }, { resource_hours: '2000' }),
  row('field_not_for_kind', 'ADD-2', { ...solar, existing_kw: '1' }, { installation_type: 'Extension' }, {}),
  row(
    'field_not_for_kind',
    'BAT-7',
    battery,
    { installation_type: 'New' },
    { installation_type: 'Extension' },
  ),
  row('field_not_for_kind', 'DEEM-4', wind, { years_already_deemed: '15' }, { years_already_deemed: 'max' }),
  row('before_scheme', 'THR-5', solar, { install_date: '2001-04-01' }, { install_date: '2001-03-31' }),
  row('before_scheme', 'THR-5', wind, { install_date: '2001-04-01' }, { install_date: '2001-03-31' }),
  row('before_scheme', 'BAT-1', battery, { install_date: '2025-07-01' }, { install_date: '2025-06-30' }),
  row('after_scheme', 'DEEM-2', solar, { install_date: '2030-12-31' }, { install_date: '2031-01-01' }),
  row('after_scheme', 'DEEM-2', hydro, { install_date: '2030-12-31' }, { install_date: '2031-01-01' }),
  row('after_scheme', 'BAT-2', battery, { install_date: '2030-12-31' }, { install_date: '2031-01-01' }),
  row('installed_in_future', 'TIME-4', solar, { today: '2010-03-01' }, { today: '2010-02-28' }),
  row('installed_in_future', 'ELIG-2', solar, { created_on: '2010-03-01' }, { created_on: '2010-02-28' }),
  row('too_late', 'TIME-1', solar, { created_on: '2011-03-01' }, { created_on: '2011-03-02' }),
  row('too_late', 'TIME-1', battery, { created_on: '2026-07-15' }, { created_on: '2026-07-16' }),
  row(
    'too_late',
    'TIME-1',
    { ...wind, created_on: '2020-01-01' },
    { install_date: '2007-10-06' },
    { install_date: '2007-10-07' },
  ),
  row(
    'too_late',
    'TIME-1',
    { ...wind, install_date: '2008-02-29' },
    { created_on: '2009-02-28' },
    { created_on: '2009-03-01' },
  ),
  row('power_over_threshold', 'THR-4', solar, { kw: '100.000' }, { kw: '100.001' }),
  row(
    'power_over_threshold',
    'THR-3',
    { ...solar, kw: '10.001' },
    { install_date: '2005-11-14' },
    { install_date: '2005-11-13' },
  ),
  row('power_over_threshold', 'THR-1', wind, { kw: '10' }, { kw: '10.001' }),
  row('power_over_threshold', 'THR-2', { ...hydro, resource_hours: '1000' }, { kw: '6.4' }, { kw: '6.401' }),
  row(
    'output_over_threshold',
    'THR-1',
    { ...wind, kw: '10' },
    { resource_hours: '2631' },
    { resource_hours: '2632' },
  ),
  row(
    'output_over_threshold',
    'THR-2',
    { ...hydro, kw: '6.4' },
    { resource_hours: '4111' },
    { resource_hours: '4112' },
  ),
  // 25 MWh itself cannot be met: 25 / 0.00095 is no product of three decimals and whole hours. 5 kW passes it after 5263 h.
  row('output_over_threshold', 'THR-1', wind, { resource_hours: '5263' }, { resource_hours: '5264' }),
  row(
    'extension_over_threshold',
    'ADD-2',
    { ...solar, installation_type: 'Extension' },
    { existing_kw: '95' },
    { existing_kw: '95.001' },
  ),
  row(
    'extension_over_threshold',
    'ADD-2',
    { ...wind, installation_type: 'Extension', resource_hours: '2632', kw: '1' },
    { existing_kw: '8.998' },
    { existing_kw: '8.999' },
  ),
  row(
    'extension_over_threshold',
    'ADD-2',
    { ...solar, installation_type: 'Extension' },
    { kw: '99.999' },
    { kw: '100' },
  ),
  row(
    'replacement_not_eligible',
    'ADD-3',
    { ...solar, installation_type: 'Replacement' },
    { complete_unit: 'yes' },
    { complete_unit: 'no' },
  ),
  row(
    'battery_size_outside',
    'BAT-3',
    { ...battery, usable_kwh: '4' },
    { nominal_kwh: '5' },
    { nominal_kwh: '4.999' },
  ),
  row('battery_size_outside', 'BAT-3', battery, { nominal_kwh: '100' }, { nominal_kwh: '100.001' }),
  row(
    'battery_size_outside',
    'BAT-3',
    { ...battery, nominal_kwh: '' },
    { usable_kwh: '100' },
    { usable_kwh: '100.001' },
  ),
  row('battery_condition_unmet', 'BAT-7', battery, { with_solar: 'yes' }, { with_solar: 'no' }),
  row(
    'battery_condition_unmet',
    'BAT-7',
    { ...battery, vpp_ready: 'no' },
    { off_grid: 'yes' },
    { off_grid: 'no' },
  ),
  row(
    'battery_condition_unmet',
    'BAT-7',
    battery,
    { earlier_battery_claim: 'no' },
    { earlier_battery_claim: 'yes' },
  ),
  row('deeming_not_offered', 'DEEM-3', solar, { deeming_years: '15' }, { deeming_years: '14' }),
  row(
    'deeming_not_offered',
    'DEEM-3',
    { ...solar, deeming_years: '15' },
    { install_date: '2016-12-31' },
    { install_date: '2017-01-01' },
  ),
  row(
    'deeming_not_offered',
    'DEEM-3',
    { ...solar, install_date: '2020-01-01' },
    { deeming_years: '11' },
    { deeming_years: '12' },
  ),
  row('deeming_not_offered', 'DEEM-3', solar, { deeming_years: '1' }, { deeming_years: '0' }),
  row('deeming_not_offered', 'DEEM-4', wind, { deeming_years: '5' }, { deeming_years: '15' }),
  row(
    'deeming_not_offered',
    'DEEM-6',
    { ...wind, deeming_years: '5' },
    { install_date: '2026-12-31' },
    { install_date: '2027-01-01' },
  ),
  row(
    'deeming_not_offered',
    'DEEM-6',
    { ...hydro, install_date: '2030-06-01' },
    { deeming_years: '1' },
    { deeming_years: '5' },
  ),
  row(
    'deeming_not_offered',
    'DEEM-7',
    solar,
    { years_already_deemed: '10' },
    { years_already_deemed: 'max' },
  ),
  row('deeming_not_offered', 'DEEM-2', solar, { years_already_deemed: '20' }, { years_already_deemed: '21' }),
  row(
    'installer_not_accredited',
    'DEEM-7',
    { ...solar, accredited_installer: 'no' },
    { deeming_years: '5' },
    { deeming_years: '15' },
  ),
  row(
    'installer_not_accredited',
    'DEEM-7',
    solar,
    { accredited_installer: 'yes' },
    { accredited_installer: 'no' },
  ),
  row(
    'later_period_without_evidence',
    'DEEM-8',
    { ...wind, still_installed: 'no' },
    { years_already_deemed: '0' },
    { years_already_deemed: '5' },
  ),
  row(
    'hours_without_audit',
    'HOURS-2',
    { ...wind, hours_audited: 'no' },
    { resource_hours: '2000' },
    { resource_hours: '2001' },
  ),
  row(
    'hours_without_audit',
    'HOURS-2',
    { ...hydro, hours_audited: 'no' },
    { resource_hours: '4000' },
    { resource_hours: '4001' },
  ),
  row(
    'deeming_lowered',
    'DEEM-5',
    { ...solar, deeming_years: '5' },
    { install_date: '2026-12-31' },
    { install_date: '2027-01-01' },
  ),
  row(
    'time_limit_not_stated',
    'TIME-2',
    { ...solar, install_date: '2006-03-01', created_on: '2008-01-01' },
    { deeming_years: '5' },
    {},
  ),
  row(
    'multiplier_not_applied',
    'SC-5',
    credited,
    { install_date: '2009-06-09' },
    { install_date: '2009-06-08' },
  ),
  row(
    'multiplier_not_applied',
    'SC-2',
    credited,
    { install_date: '2012-12-31' },
    { install_date: '2013-01-01' },
  ),
  row(
    'multiplier_not_applied',
    'SC-5',
    { ...credited, solar_credits_schedule: 'guide' },
    { install_date: '2015-06-30' },
    { install_date: '2015-07-01' },
  ),
  row(
    'multiplier_not_applied',
    'ADD-1',
    credited,
    { installation_type: 'Additional system' },
    { installation_type: 'Extension' },
  ),
  row('multiplier_not_applied', 'SC-9', credited, { new_unit: 'yes' }, { new_unit: 'no' }),
  row('multiplier_not_applied', 'SC-9', credited, { complete_unit: 'yes' }, { complete_unit: 'no' }),
  row('multiplier_not_applied', 'SC-9', credited, { metered: 'yes' }, { metered: 'no' }),
  row('multiplier_not_applied', 'PREM-1', credited, { premises: 'house' }, { premises: 'home_office' }),
  row(
    'multiplier_not_applied',
    'PREM-2',
    credited,
    { premises: 'mall_shop' },
    { premises: 'shop_in_dwelling' },
  ),
  row('multiplier_not_applied', 'PREM-4', credited, { premises: 'hotel' }, { premises: 'hotel_room' }),
  row(
    'multiplier_not_applied',
    'PREM-7',
    credited,
    { premises: 'separate_business_building' },
    { premises: 'outbuilding' },
  ),
  row('multiplier_not_applied', 'PREM-8', credited, { premises: 'caravan_park' }, { premises: 'caravan' }),
  row('multiplier_not_applied', 'SC-7', credited, { unit_programmes: 'PVRP' }, { unit_programmes: 'SHCP' }),
  row('multiplier_not_applied', 'SC-7', credited, { unit_programmes: 'none' }, { unit_programmes: 'RRPGP' }),
  row('multiplier_not_applied', 'SC-7', credited, { unit_programmes: '' }, { unit_programmes: 'pvrp nssp' }),
  row(
    'multiplier_not_applied',
    'SC-8',
    credited,
    { premises_programmes: 'none' },
    { premises_programmes: 'PVRP' },
  ),
  row(
    'multiplier_not_applied',
    'SC-8',
    credited,
    { premises_programmes: 'none' },
    { premises_programmes: 'SHCP;RRPGP;NSSP' },
  ),
  row('multiplier_not_applied', 'SC-10', credited, { multiplied_before: 'no' }, { multiplied_before: 'yes' }),
  row(
    'multiplier_not_applied',
    'SC-4',
    { ...credited, install_date: '2011-07-01', contract_date: '2011-05-04' },
    { statutory_declaration: 'yes' },
    { statutory_declaration: 'no' },
  ),
  row('multiplier_not_applied', 'BAT-6', battery, { solar_credits: 'no' }, { solar_credits: 'yes' }),
];

const outcomeOf = { invalid: 'invalid', refuse: 'ineligible', note: 'eligible' } as const;

describe('each rule: what passes, and what nearly passes', () => {
  test.each(ruleTable)('$code $rule: $passes, not $fails', ({ rule, code, base, passes, fails }) => {
    const good = assessEntitlement({ ...base, ...passes });
    expect(findings(good)).toEqual([]);
    expect(good.outcome).toBe('eligible');
    const bad = assessEntitlement({ ...base, ...fails });
    expect(findings(bad)).toEqual([`${code} ${rule}`]);
    expect(bad.outcome).toBe(outcomeOf[effectOf(code)]);
    expect(bad.rule_ids).toContain(rule);
  });

  test('the table stands in the order of the catalogue and has every code but that of damaged rows', () => {
    const order = reasonCatalogue.map(({ code }) => code);
    const places = ruleTable.map(({ code }) => order.indexOf(code));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect([...new Set(ruleTable.map(({ code }) => code))]).toEqual(
      order.filter((code) => code !== 'row_damaged'),
    );
  });

  test('what is not eligible has no certificates, what is invalid no number at all', () => {
    for (const { base, fails, code } of ruleTable) {
      const { stcs, unrounded } = assessEntitlement({ ...base, ...fails });
      if (effectOf(code) === 'invalid') expect([stcs, unrounded]).toEqual([null, null]);
      if (effectOf(code) === 'refuse') expect([stcs, unrounded]).toEqual([0, null]);
      if (effectOf(code) === 'note') expect(stcs).toBeGreaterThan(0);
    }
  });
});

describe('every reason, in precedence', () => {
  test('a unit that breaks everything says everything', () => {
    const result = assessEntitlement({
      system_type: 'solar',
      zone: '1',
      kw: '200',
      install_date: '2010-03-01',
      created_on: '2011-03-02',
      today: '2012-01-01',
      installation_type: 'Extension',
      existing_kw: '1',
      accredited_installer: 'no',
      deeming_years: '15',
      solar_credits: 'yes',
      new_unit: 'no',
      premises: 'street_light',
      unit_programmes: 'SHCP',
      premises_programmes: 'PVRP',
      multiplied_before: 'yes',
    });
    expect(findings(result)).toEqual([
      'too_late TIME-1',
      'power_over_threshold THR-4',
      'output_over_threshold THR-4',
      'extension_over_threshold ADD-2',
      'installer_not_accredited DEEM-7',
      'multiplier_not_applied ADD-1',
      'multiplier_not_applied SC-9',
      'multiplier_not_applied PREM-8',
      'multiplier_not_applied SC-7',
      'multiplier_not_applied SC-8',
      'multiplier_not_applied SC-10',
    ]);
  });

  test('one is one: a single year, and more than one', () => {
    const message = (install_date: string) =>
      assessEntitlement({ ...solar, install_date, accredited_installer: 'no' }).reasons[0]?.message;
    expect(message('2030-01-01')).toContain('the maximum of 1 year needs');
    expect(message('2029-01-01')).toContain('the maximum of 2 years needs');
  });

  test('an unreadable row lists every fault of its text', () => {
    const result = assessEntitlement({
      system_type: 'wind',
      install_date: '31/12/2019',
      resource_hours: 'many',
      usable_kwh: '5',
      years_already_deemed: 'max',
    });
    expect(result.reasons.map(({ code, field }) => `${code} ${field}`)).toEqual([
      'field_missing kw',
      'field_invalid install_date',
      'field_invalid resource_hours',
      'field_not_for_kind usable_kwh',
      'field_not_for_kind years_already_deemed',
    ]);
  });

  test.each([
    [{ ...solar, kw: '100.001' }, 'power station'],
    [{ ...wind, kw: '10', resource_hours: '2632' }, 'power station'],
    [{ ...solar, install_date: '2001-03-31' }, 'power station'],
    [{ ...solar, kw: '50', installation_type: 'Extension', existing_kw: '51' }, 'power station'],
  ])('%j: the reason says %s', (input, words) => {
    expect(assessEntitlement(input).reasons[0]?.message).toContain(words);
  });

  test("a stranger's text in a message is short, plain, and cannot pass for a separator", () => {
    const [reason] = assessEntitlement({ ...solar, kw: `5;"x"\u0007${'9'.repeat(100)}` }).reasons;
    expect(reason?.message).toContain(`kw "5,'x'?9999`);
    expect(reason?.message).not.toContain(';');
    expect(reason?.message.length).toBeLessThan(160);
  });
});

describe('figures at the boundaries of dates', () => {
  const stcs = (input: EntitlementInput, policy: Policy = defaultPolicy) =>
    assessEntitlement(input, policy).stcs;

  // 1.5 kW in zone 3 for 5 years: 10.365 without multiplier.
  test.each([
    ['regulated', '2009-06-08', 10],
    ['regulated', '2009-06-09', 51],
    ['regulated', '2011-06-30', 51],
    ['regulated', '2011-07-01', 31],
    ['regulated', '2012-06-30', 31],
    ['regulated', '2012-07-01', 20],
    ['regulated', '2012-12-31', 20],
    ['regulated', '2013-01-01', 10],
    ['guide', '2009-06-08', 10],
    ['guide', '2009-06-09', 51],
    ['guide', '2010-06-30', 51],
    ['guide', '2010-07-01', 51],
    ['guide', '2011-07-01', 51],
    ['guide', '2012-06-30', 51],
    ['guide', '2012-07-01', 41],
    ['guide', '2013-06-30', 41],
    ['guide', '2013-07-01', 31],
    ['guide', '2014-06-30', 31],
    ['guide', '2014-07-01', 20],
    ['guide', '2015-06-30', 20],
    ['guide', '2015-07-01', 10],
  ])('Solar Credits, %s, installed on %s: %i', (solar_credits_schedule, install_date, expected) => {
    const input = { ...credited, kw: '1.5', deeming_years: '5', solar_credits_schedule, install_date };
    expect(stcs(input)).toBe(expected);
  });

  test.each([
    ['2011-06-30', '2011-05-04', 51],
    ['2011-07-01', '2011-05-04', 51],
    ['2011-07-01', '2011-05-05', 31],
    ['2012-06-29', '2011-05-04', 51],
    ['2012-06-30', '2011-05-04', 31],
  ])('transition (SC-4), installed on %s, contract of %s: %i', (install_date, contract_date, expected) => {
    expect(stcs({ ...credited, kw: '1.5', deeming_years: '5', install_date, contract_date })).toBe(expected);
  });

  test.each([
    ['2025-07-01', 93],
    ['2025-12-31', 93],
    ['2026-01-01', 84],
    ['2026-04-30', 84],
    ['2026-05-01', 68],
    ['2026-12-31', 68],
    ['2027-01-01', 57],
    ['2027-07-01', 52],
    ['2028-01-01', 46],
    ['2028-07-01', 41],
    ['2029-01-01', 36],
    ['2029-07-01', 31],
    ['2030-01-01', 26],
    ['2030-07-01', 21],
    ['2030-12-31', 21],
  ])('battery of 10 kWh on %s: %i', (install_date, expected) => {
    expect(stcs({ ...battery, install_date })).toBe(expected);
  });

  test.each([
    ['2026-04-30', '50', '420'],
    ['2026-04-30', '60', '420'],
    ['2026-05-01', '14', '95.2'],
    ['2026-05-01', '14.001', '95.20408'],
    ['2026-05-01', '28', '152.32'],
    ['2026-05-01', '28.001', '152.32102'],
    ['2026-05-01', '40', '164.56'],
    ['2026-05-01', '50', '174.76'],
    ['2026-05-01', '100', '174.76'],
  ])('battery on %s with %s usable kWh: %s', (install_date, usable_kwh, unrounded) => {
    const result = assessEntitlement({ ...battery, install_date, usable_kwh, nominal_kwh: '100' });
    expect(result.unrounded).toBe(unrounded);
    expect(result.stcs).toBe(Math.floor(Number(unrounded)));
  });

  test.each([
    [2010, 15],
    [2016, 15],
    [2017, 14],
    [2018, 13],
    [2019, 12],
    [2020, 11],
    [2021, 10],
    [2022, 9],
    [2023, 8],
    [2024, 7],
    [2025, 6],
    [2026, 5],
    [2027, 4],
    [2028, 3],
    [2029, 2],
    [2030, 1],
  ])('solar, all of %i: at most %i years, also when nothing is chosen', (year, years) => {
    for (const day of ['01-01', '12-31']) {
      const install_date = `${year}-${day}`;
      const expected = Math.floor((1382 * 10 * years) / 1000);
      expect(stcs({ ...solar, kw: '10', install_date })).toBe(expected);
      expect(stcs({ ...solar, kw: '10', install_date, deeming_years: 'max' })).toBe(expected);
      expect(stcs({ ...solar, kw: '10', install_date, deeming_years: String(years) })).toBe(expected);
    }
  });

  test.each([
    ['2026-12-31', 5],
    ['2027-01-01', 4],
    ['2028-06-30', 3],
    ['2029-12-31', 2],
    ['2030-12-31', 1],
  ])('wind on %s: at most %i years; all 5 under the other reading', (install_date, years) => {
    // 0.00095 * 10 kW * 2000 h = 19 MWh a year.
    expect(stcs({ ...wind, kw: '10', install_date })).toBe(19 * years);
    expect(
      stcs({ ...wind, kw: '10', install_date }, { ...defaultPolicy, windHydroPeriods: 'unshortened' }),
    ).toBe(95);
  });

  test('the other readings of the time limit (TIME-2, TIME-3)', () => {
    const outcome = (input: EntitlementInput, policy: Partial<Policy>) =>
      assessEntitlement({ ...wind, ...input }, { ...defaultPolicy, ...policy }).outcome;
    const october = { install_date: '2007-10-06', created_on: '2008-10-07' };
    expect(outcome(october, {})).toBe('eligible');
    expect(outcome(october, { october2007: 'twelve_months' })).toBe('ineligible');
    expect(outcome({ ...october, install_date: '2007-10-05' }, { october2007: 'twelve_months' })).toBe(
      'eligible',
    );
    const anniversary = { created_on: '2011-03-01' };
    expect(outcome(anniversary, {})).toBe('eligible');
    expect(outcome(anniversary, { anniversary: 'excluded' })).toBe('ineligible');
    expect(outcome({ created_on: '2011-02-28' }, { anniversary: 'excluded' })).toBe('eligible');
    const leap = { install_date: '2008-02-29', created_on: '2009-02-28' };
    expect(outcome(leap, {})).toBe('eligible');
    expect(outcome(leap, { anniversary: 'excluded' })).toBe('ineligible');
    expect(outcome({ ...leap, created_on: '2009-02-27' }, { anniversary: 'excluded' })).toBe('eligible');
  });
});

describe('the one rounding', () => {
  // Hydro, one year: 0.00095 * kW * hours.
  const product = (kw: string, resource_hours: string) =>
    assessEntitlement({ ...hydro, kw, resource_hours, deeming_years: '1' });

  test.each([
    ['1', '526', '0.4997', 0, 'ROUND-4'],
    ['0.625', '842', '0.4999375', 0, 'ROUND-4'],
    ['1.25', '421', '0.4999375', 0, 'ROUND-4'],
    ['1.6', '329', '0.50008', 1, 'ROUND-3'],
    ['4', '263', '0.9994', 1, 'ROUND-3'],
    ['4', '264', '1.0032', 1, 'ROUND-2'],
  ])('%s kW for %s h: %s is %i', (kw, hours, unrounded, stcs, rule) => {
    const result = product(kw, hours);
    expect(result.unrounded).toBe(unrounded);
    expect(result.stcs).toBe(stcs);
    expect(result.rule_ids).toContain(rule);
    expect(result.outcome).toBe('eligible');
  });

  test.each([
    ['2.5', '4000', '9.5', 9],
    ['2', '4000', '7.6', 7],
    ['5', '4000', '19', 19],
    ['0.5', '2000', '0.95', 1],
  ])('%s kW for %s h: %s is %i', (kw, hours, unrounded, stcs) => {
    expect(product(kw, hours)).toMatchObject({ unrounded, stcs });
  });

  test.each([
    ['3', '0.361', 1, '0.498902', 0],
    ['3', '0.362', 1, '0.500284', 1],
    ['2', '0.125', 5, '0.96', 1],
    ['2', '0.651', 1, '0.999936', 1],
    ['2', '0.652', 1, '1.001472', 1],
    ['4', '40', 5, '237', 237],
    ['1', '100', 15, '2433', 2433],
    ['2', '62.5', 15, '1440', 1440],
    ['4', '0.8', 1, '0.948', 1],
    ['3', '100', 5, '691', 691],
  ])('solar in zone %s, %s kW, %i years: %s is %i', (zone, kw, years, unrounded, stcs) => {
    const input = { ...solar, zone, kw, deeming_years: String(years) };
    expect(assessEntitlement(input)).toMatchObject({ unrounded, stcs });
  });

  test('batteries are only ever rounded down (BAT-6)', () => {
    expect(assessEntitlement({ ...battery, nominal_kwh: '5', usable_kwh: '0.1' })).toMatchObject({
      unrounded: '0.93',
      stcs: 0,
    });
    expect(assessEntitlement({ ...battery, usable_kwh: '9.999' })).toMatchObject({
      unrounded: '92.9907',
      stcs: 92,
    });
  });
});

describe('capacity', () => {
  test('1.5 kW is multiplied whole, the next watt not (I7)', () => {
    const unrounded = (kw: string) => assessEntitlement({ ...credited, kw, deeming_years: '5' }).unrounded;
    expect(unrounded('1.5')).toBe('51.825');
    expect(unrounded('1.501')).toBe('51.83191');
  });

  test('off the grid the first 20 kW are multiplied (SC-6)', () => {
    const unrounded = (kw: string) =>
      assessEntitlement({ ...credited, kw, deeming_years: '1', off_grid: 'yes' }).unrounded;
    expect(unrounded('20')).toBe('138.2');
    expect(unrounded('20.001')).toBe('138.201382');
  });

  test('wind and hydro have Solar Credits too', () => {
    expect(assessEntitlement({ ...hydro, kw: '1', solar_credits: 'yes' })).toMatchObject({
      unrounded: '95',
      stcs: 95,
    });
  });

  test('added capacity earns for the added kW alone', () => {
    const input = {
      ...solar,
      kw: '2',
      installation_type: 'extension',
      existing_kw: '98',
      deeming_years: '5',
    };
    const result = assessEntitlement(input);
    expect(result).toMatchObject({ outcome: 'eligible', stcs: 13, unrounded: '13.82' });
    expect(result.rule_ids).toContain('ADD-1');
  });

  test('zone given wins over the postcode', () => {
    const both = { ...solar, zone: '1', postcode: '7000', deeming_years: '1', kw: '100' };
    expect(assessEntitlement(both).unrounded).toBe('162.2');
    expect(assessEntitlement(both).rule_ids).not.toContain('ZONE-2');
    expect(computeEntitlement(both).working[0]).toBe('Zone: 1, as given');
    expect(assessEntitlement({ ...both, zone: '' }).unrounded).toBe('118.5');
  });

  test('default hours are used and said (HOURS-1)', () => {
    for (const [input, hours, annual] of [
      [wind, '2000', '9.5'],
      [hydro, '4000', '19'],
    ] as const) {
      const result = assessEntitlement(input);
      expect(result.annual_mwh).toBe(annual);
      expect(result.assumed).toContainEqual({ field: 'resource_hours', value: hours, rule: 'HOURS-1' });
    }
  });

  test('the number without Solar Credits stands beside the multiplied one (I12)', () => {
    const input = { ...credited, kw: '4.5' };
    expect(assessEntitlement(input)).toMatchObject({ stcs: 217, stcs_without_solar_credits: 93 });
    expect(assessEntitlement({ ...input, solar_credits: 'no' })).toMatchObject({
      stcs: 93,
      stcs_without_solar_credits: null,
    });
  });

  test('a later solar period is 5 years at most, and never outlasts the scheme', () => {
    const later = (years_already_deemed: string, deeming_years = '') =>
      assessEntitlement({
        ...solar,
        kw: '100',
        install_date: '2012-02-29',
        years_already_deemed,
        deeming_years,
      });
    expect(later('5').unrounded).toBe('691');
    expect(later('15').unrounded).toBe('552.8');
    expect(later('15', '5')).toMatchObject({ unrounded: '552.8', notices: [{ code: 'deeming_lowered' }] });
    expect(later('5', '9').outcome).toBe('ineligible');
    expect(later('19').reasons[0]?.rule).toBe('DEEM-2');
    expect(later('5').assumed).toContainEqual({ field: 'still_installed', value: 'yes', rule: 'DEEM-8' });
  });
});

describe('facts that are not given', () => {
  test('are assumed and listed; given ones are not', () => {
    const fields = (input: EntitlementInput) => assessEntitlement(input).assumed.map(({ field }) => field);
    expect(fields(solar)).toEqual([
      'created_on',
      'deeming_years',
      'accredited_installer',
      'installation_type',
      'solar_credits',
    ]);
    const stated = {
      created_on: '2010-04-01',
      deeming_years: 'max',
      accredited_installer: 'yes',
      installation_type: 'New',
      solar_credits: 'no',
    };
    expect(fields({ ...solar, ...stated })).toEqual([]);
    expect(fields({ ...solar, ...stated, solar_credits: 'yes' })).toEqual([
      'new_unit',
      'complete_unit',
      'metered',
      'premises',
      'unit_programmes',
      'premises_programmes',
      'multiplied_before',
      'off_grid',
    ]);
    expect(fields({ ...wind, ...stated, resource_hours: '2001' })).toEqual(['hours_audited']);
    expect(fields({ ...solar, ...stated, installation_type: 'Extension' })).toEqual(['existing_kw']);
    expect(fields({ ...solar, ...stated, installation_type: 'Replacement' })).toEqual(['complete_unit']);
  });

  // Whatever stood there before had some power, and no battery is smaller than what it can use.
  test.each([
    ['existing_kw', { ...solar, installation_type: 'Extension' }, { kw: '99.999' }, { kw: '100' }],
    ['nominal_kwh', { ...battery, nominal_kwh: '' }, { usable_kwh: '100' }, { usable_kwh: '100.001' }],
  ])(
    '%s is assumed while it can be right, and never beside the reason that refuses it',
    (field, base, fits, over) => {
      const assumed = (input: EntitlementInput) =>
        assessEntitlement(input).assumed.map((known) => known.field);
      expect(assumed({ ...base, ...fits })).toContain(field);
      expect(assessEntitlement({ ...base, ...over }).outcome).toBe('ineligible');
      expect(assumed({ ...base, ...over })).not.toContain(field);
    },
  );
});

describe('premises', () => {
  test.each(premisesKinds)('$kind is decided and explained ($rule)', ({ kind, eligible, rule }) => {
    const result = assessEntitlement({ ...credited, premises: kind });
    expect(result.outcome).toBe('eligible');
    expect(result.stcs_without_solar_credits === null).toBe(!eligible);
    expect(result.rule_ids).toContain(rule);
    if (!eligible) expect(result.notices[0]?.message).toContain(kind);
  });

  test('kinds are named once', () => {
    expect(new Set(premisesKinds.map(({ kind }) => kind)).size).toBe(premisesKinds.length);
  });
});

describe('the working', () => {
  const equations = (input: EntitlementInput) =>
    computeEntitlement(input).working.map((step) => step.slice(step.indexOf(': ') + 2));

  test('example 1 of the owners guide, line by line', () => {
    const input = {
      system_type: 'solar',
      postcode: '2315',
      kw: '2.5',
      install_date: '2009-04-09',
      deeming_years: '15',
    };
    expect(computeEntitlement(input)).toMatchObject({
      stcs: 51,
      checks: [
        'Created within 12 months of the installation? Yes (assumed)',
        'Is it no more than 100 kW and 250 MWh a year? Yes',
        'Was it designed and installed by an accredited person? Yes (assumed)',
      ],
      working: [
        'Zone of postcode 2315 in the table of 2010: 3',
        'Rating of zone 3: 1.382',
        'Annual output: 1.382 × 2.5 kW = 3.455 MWh',
        'Over 15 years: 3.455 × 15 years = 51.825 MWh',
        'Rounded down to whole MWh: 51.825 MWh = 51 STCs',
        'No more than 100 kW and no more than 250 MWh a year: not a power station',
      ],
    });
  });

  test('example 2: Solar Credits, all conditions met', () => {
    const input = {
      ...{
        system_type: 'solar',
        postcode: '2315',
        kw: '4.5',
        install_date: '2009-08-03',
        deeming_years: '15',
      },
      ...{ solar_credits: 'yes', created_on: '2009-09-01', accredited_installer: 'yes', premises: 'house' },
      ...{
        new_unit: 'yes',
        complete_unit: 'yes',
        metered: 'yes',
        unit_programmes: 'none',
        premises_programmes: 'none',
      },
      multiplied_before: 'no',
    };
    expect(computeEntitlement(input)).toMatchObject({
      stcs: 217,
      checks: [
        'Installed from 2009-06-09 to 2015-06-30? Yes',
        'Created within 12 months of the installation? Yes',
        'Is it no more than 100 kW and 250 MWh a year? Yes',
        'Is the rated power more than 1.5 kW? Yes',
        'Was it designed and installed by an accredited person? Yes',
        'Is it a new and complete unit that can be metered? Yes',
        'Is it at eligible premises? Yes',
        'Was there assistance under an earlier programme? No',
        'Were certificates multiplied at the premises before? No',
      ],
      working: [
        'Zone of postcode 2315 in the table of 2010: 3',
        'Rating of zone 3: 1.382',
        'First 1.5 kW, multiplied by 5: 1.382 × 1.5 × 15 × 5 = 155.475 MWh',
        'Remaining power: 4.5 kW - 1.5 = 3 kW',
        'Remaining 3 kW, not multiplied: 3 kW × 1.382 × 15 = 62.19 MWh',
        'Sum: 155.475 MWh + 62.19 MWh = 217.665 MWh',
        'Rounded down to whole MWh: 217.665 MWh = 217 STCs',
        'No more than 100 kW and no more than 250 MWh a year: not a power station',
      ],
    });
  });

  test('example 3: wind', () => {
    const input = {
      system_type: 'wind',
      kw: '2.9',
      install_date: '2009-05-01',
      deeming_years: '5',
      resource_hours: '2000',
    };
    expect(equations(input)).toEqual([
      '0.00095 × 2.9 × 2000 = 5.51 MWh',
      '5.51 × 5 = 27.55 MWh',
      '27.55 MWh = 27 STCs',
      'not a power station',
    ]);
  });

  test('example 4: wind with Solar Credits', () => {
    const input = {
      ...{ system_type: 'wind', kw: '2.9', install_date: '2009-08-03', deeming_years: '5' },
      ...{ resource_hours: '2000', solar_credits: 'yes' },
    };
    expect(equations(input)).toEqual([
      '0.00095 × 1.5 × 2000 × 5 × 5 = 71.25 MWh',
      '2.9 kW - 1.5 = 1.4 kW',
      '0.00095 × 1.4 × 2000 × 5 = 13.3 MWh',
      '71.25 MWh + 13.3 MWh = 84.55 MWh',
      '84.55 MWh = 84 STCs',
      'not a power station',
    ]);
  });

  test('a battery across all tiers', () => {
    const input = { ...battery, install_date: '2026-05-01', nominal_kwh: '60', usable_kwh: '55.5' };
    expect(computeEntitlement(input).working).toEqual([
      'First 14 kWh: 14 kWh × 1 = 14 kWh',
      'Over 14 to 28 kWh: 14 kWh × 0.6 = 8.4 kWh',
      'Over 28 to 50 kWh: 22 kWh × 0.15 = 3.3 kWh',
      'Over 50 kWh: counts for nothing',
      'Counted: 14 + 8.4 + 3.3 = 25.7 kWh',
      'Factor from 2026-05-01: 25.7 × 6.8 = 174.76',
      'Rounded down: 174.76 = 174 STCs',
    ]);
  });

  test('small products say how they are rounded', () => {
    const last = (kw: string) => computeEntitlement({ ...solar, kw, deeming_years: '1' }).working.at(-2);
    expect(last('0.4')).toBe('From 0.5 to 1 MWh counts as one: 0.5528 MWh = 1 STC');
    expect(last('0.1')).toBe('Less than 0.5 MWh counts for none: 0.1382 MWh = 0 STCs');
    expect(last('1.4')).toBe('Rounded down to whole MWh: 1.9348 MWh = 1 STC');
  });

  test('a refusal works out the output and says why there is nothing', () => {
    const { working, checks } = computeEntitlement({ ...wind, kw: '10', resource_hours: '2632' });
    expect(working).toEqual([
      'Annual output: 0.00095 × 10 × 2632 = 25.004 MWh',
      'No certificates, output_over_threshold: 25.004 MWh a year is over 25 MWh: not a small generation unit but a power station, which needs accreditation',
    ]);
    expect(checks).toContain('Is it no more than 10 kW and 25 MWh a year? No');
  });

  test('an invalid input says what cannot be read', () => {
    expect(computeEntitlement({ system_type: 'tidal' }).working).toEqual([
      'Cannot be calculated, field_invalid: system_type "tidal": expected one of solar, wind, hydro, battery',
    ]);
  });

  test('a failed condition of Solar Credits is answered in the checks', () => {
    const { checks } = computeEntitlement({ ...credited, premises_programmes: 'PVRP', premises: 'boat' });
    expect(checks).toContain('Was there assistance under an earlier programme? Yes');
    expect(checks).toContain('Is it at eligible premises? No');
  });
});
