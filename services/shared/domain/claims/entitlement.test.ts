import { describe, expect, test } from 'vitest';
import { batteryFacts, claimOf, evidenceFor, solarFacts, windFacts } from '#test/support/claims.ts';
import { computeEntitlement, inputColumns } from '../entitlement/index.ts';
import { assessClaim } from './assess.ts';
import type { ClaimFacts, SolarCreditsFacts } from './claim.ts';
import { entitlementFindings, entitlementInput, entitlementOf } from './entitlement.ts';
import { currentRules } from './rules.ts';
import { emptyState } from './state.ts';

const statedCredits: SolarCreditsFacts = {
  requested: 'yes',
  premises: 'house',
  unit_programmes: 'none',
  premises_programmes: 'none',
  new_unit: 'yes',
  metered: 'yes',
  multiplied_before: 'no',
  off_grid: 'no',
  contract_on: '',
  statutory_declaration: '',
};

/** A claim of the years of Solar Credits, all stated. */
function credited(more: Partial<SolarCreditsFacts> = {}, facts: Partial<ClaimFacts> = {}): ClaimFacts {
  return solarFacts({
    installed_on: '2011-07-01',
    credits: { ...statedCredits, ...more },
    ...facts,
  });
}

function assess(facts: ClaimFacts) {
  const claim = claimOf(facts);
  return assessClaim(claim, evidenceFor(claim), emptyState, currentRules);
}

/** Missing facts of a claim that is otherwise judged: what is refused because it was not stated. */
function missing(facts: ClaimFacts): readonly string[] {
  return assess(facts)
    .findings.filter(({ code }) => code === 'field_missing')
    .map(({ subject }) => subject);
}

// What a calculation would have assumed, left out of a claim.
const leftOut: readonly (readonly [string, ClaimFacts, ClaimFacts])[] = [
  ['deeming', solarFacts(), solarFacts({ deeming: '' })],
  ['deeming', windFacts(), windFacts({ deeming: '' })],
  ['accredited', solarFacts(), solarFacts({ accredited: '' })],
  ['installation_type', solarFacts(), solarFacts({ installation_type: '' })],
  [
    'existing_kw',
    solarFacts({ installation_type: 'Extension', existing_kw: '3' }),
    solarFacts({ installation_type: 'Extension' }),
  ],
  [
    'complete_unit',
    solarFacts({ installation_type: 'Replacement' }),
    solarFacts({ installation_type: 'Replacement', complete_unit: '' }),
  ],
  [
    'still_installed',
    windFacts({ years_already_deemed: '5', still_installed: 'yes' }),
    windFacts({ years_already_deemed: '5' }),
  ],
  ['complete_unit', credited(), credited({}, { complete_unit: '' })],
  ...(
    [
      'new_unit',
      'metered',
      'premises',
      'unit_programmes',
      'premises_programmes',
      'multiplied_before',
    ] as const
  ).map((name) => [`credits.${name}`, credited(), credited({ [name]: '' })] as const),
  [
    'credits.statutory_declaration',
    credited({ contract_on: '2011-05-04', statutory_declaration: 'yes' }),
    credited({ contract_on: '2011-05-04' }),
  ],
  ['nominal_kwh', batteryFacts(), batteryFacts({ nominal_kwh: '' })],
  ['with_solar', batteryFacts(), batteryFacts({ with_solar: '' })],
  ['vpp_ready', batteryFacts(), batteryFacts({ vpp_ready: '' })],
];

describe('a claim states its facts: nothing is assumed in its favour', () => {
  test.each(leftOut)('%s', (subject, stated, without) => {
    expect(missing(stated)).toEqual([]);
    expect(missing(without)).toEqual([subject]);
    expect(assess(without).decision).toBe('refused');
  });

  test('hours above the default are audited, or not allowed', () => {
    const hours = { resource_hours: '2001' };
    const audited = { ...hours, hours_audit: 'report 7', auditor: 'Ann Auditor, 02 5550 0000' };
    const codes = (more: Partial<ClaimFacts>) => assess(windFacts(more)).findings.map(({ code }) => code);
    expect(codes(audited)).toEqual([]);
    expect(codes(hours)).toEqual(['hours_without_audit']);
    expect(codes({ ...audited, auditor: '' })).toEqual(['hours_without_audit']);
    expect(codes({ ...audited, hours_audit: '' })).toEqual(['hours_without_audit']);
    expect(codes({ ...hours, resource_hours: '2000' })).toEqual([]);
  });

  test('only what is no fact of the claimant may stay open: the default hours, and favours not asked for', () => {
    const claim = claimOf(solarFacts());
    const result = computeEntitlement({
      system_type: 'solar',
      zone: '3',
      kw: '1',
      install_date: '2020-01-01',
    });
    const open = inputColumns.filter((field) => {
      const assumed = [{ field, value: 'yes', rule: 'CLM-1' }];
      return entitlementFindings(claim, { ...result, reasons: [], notices: [], assumed }).length === 0;
    });
    expect(open).toEqual(['resource_hours', 'solar_credits', 'off_grid']);
  });
});

describe("the claim's figure is the engine's", () => {
  const known = { createdOn: '2026-04-20', unit: undefined, premises: undefined };

  test.each([
    ['solar', solarFacts()],
    ['wind', windFacts()],
    ['battery', batteryFacts()],
    ['with Solar Credits', credited()],
  ])('%s', (_, facts) => {
    const claim = claimOf(facts);
    const input = entitlementInput(claim, known);
    expect(entitlementOf(claim, known, currentRules)).toEqual(
      computeEntitlement(input, currentRules.entitlement),
    );
    // The zone is that of the address: nobody states one.
    expect(input.zone).toBeUndefined();
    expect(input.created_on).toBe(known.createdOn);
    expect(input.today).toBe(known.createdOn);
  });
});
