import { describe, expect, test } from 'vitest';
import { assessClaim, type ClaimFacts, currentRules, emptyState } from '#shared/domain/claims/index.ts';
import { premisesKinds } from '#shared/domain/entitlement/data/premises.ts';
import { zones2010 } from '#shared/domain/entitlement/data/zone-ranges.ts';
import {
  computeEntitlement,
  computeEntitlementFromJson,
  defaultPolicy,
  type EntitlementInput,
  type Policy,
} from '#shared/domain/entitlement/index.ts';
import { claimOf, createdOn, evidenceFor, solarFacts } from '#test/support/claims.ts';

// One table for the rows H1 to H24 and I1 to I16: for each the examples that its column "what a user checks" names.

const solar = { system_type: 'solar', zone: '3', kw: '5', install_date: '2010-03-01' };
const wind = { system_type: 'wind', kw: '5', install_date: '2010-03-01' };
const hydro = { system_type: 'hydro', kw: '5', install_date: '2010-03-01' };
/** 51 certificates with Solar Credits of 5, 10 without. */
const credited = { ...solar, kw: '1.5', deeming_years: '5', solar_credits: 'yes' };

interface Example {
  readonly id: string;
  readonly input: EntitlementInput;
  /** Certificates; a reason refuses when it is absent. */
  readonly stcs?: number;
  readonly unrounded?: string;
  /** Code and rule of every reason and notice. */
  readonly reasons: readonly string[];
  /** What the first of them says. */
  readonly words?: RegExp;
  readonly policy: Policy;
}

type More = Partial<Pick<Example, 'unrounded' | 'words'>> & { readonly policy?: Partial<Policy> };

function earns(id: string, input: EntitlementInput, stcs: number, more: More = {}): Example {
  return { reasons: [], id, input, stcs, ...more, policy: { ...defaultPolicy, ...more.policy } };
}

function notes(id: string, input: EntitlementInput, stcs: number, notice: string, more: More = {}): Example {
  return { ...earns(id, input, stcs, more), reasons: [notice] };
}

function refuses(id: string, input: EntitlementInput, reasons: string | string[], more: More = {}): Example {
  return { id, input, reasons: [reasons].flat(), ...more, policy: { ...defaultPolicy, ...more.policy } };
}

const plain = (id: string, input: EntitlementInput, rule: string, words?: RegExp): Example =>
  notes(id, { ...credited, ...input }, 10, `multiplier_not_applied ${rule}`, words ? { words } : {});
const fiveTimes = (id: string, input: EntitlementInput): Example => earns(id, { ...credited, ...input }, 51);

const examples: readonly Example[] = [
  earns('H1', { ...wind, kw: '10.000' }, 95),
  refuses('H1', { ...wind, kw: '10.001' }, 'power_over_threshold THR-1'),
  earns('H1', { ...wind, kw: '10', resource_hours: '2631', hours_audited: 'yes' }, 124),
  refuses('H1', { ...wind, kw: '10', resource_hours: '2632' }, 'output_over_threshold THR-1'),
  earns('H1', { ...wind, install_date: '2001-04-01' }, 47),
  refuses('H1', { ...wind, install_date: '2001-03-31' }, 'before_scheme THR-5'),
  earns('H2', { ...solar, install_date: '2005-11-14', kw: '100' }, 2073),
  refuses('H2', { ...solar, kw: '100.001' }, 'power_over_threshold THR-4'),
  refuses('H3', { ...solar, install_date: '2005-11-13', kw: '50' }, [
    'power_over_threshold THR-3',
    'output_over_threshold THR-3',
  ]),
  earns('H3', { ...solar, install_date: '2005-11-14', kw: '50' }, 1036),
  earns('H3', { ...solar, install_date: '2001-04-01', kw: '10' }, 207),
  refuses('H3', { ...solar, install_date: '2001-04-01', kw: '10.001' }, 'power_over_threshold THR-3'),
  refuses('H3', { ...solar, install_date: '2001-03-31' }, 'before_scheme THR-5'),
  earns('H4', { ...hydro, kw: '6.4' }, 121),
  refuses('H4', { ...hydro, kw: '6.401' }, 'power_over_threshold THR-2'),
  earns('H4', { ...hydro, kw: '6.4', resource_hours: '4111' }, 124),
  refuses('H4', { ...hydro, kw: '6.4', resource_hours: '4112' }, 'output_over_threshold THR-2'),
  refuses('H4', { ...hydro, install_date: '2001-03-31' }, 'before_scheme THR-5'),
  refuses('H5', { ...solar, kw: '100.001' }, 'power_over_threshold THR-4', { words: /power station/ }),
  refuses('H5', { ...wind, install_date: '2001-03-31' }, 'before_scheme THR-5', { words: /power station/ }),
  refuses(
    'H6',
    { ...solar, installation_type: 'Extension', existing_kw: '95.001' },
    'extension_over_threshold ADD-2',
    { words: /the system becomes a power station/ },
  ),
  refuses('H7', { ...solar, today: '2010-02-28' }, 'installed_in_future TIME-4'),
  refuses('H7', { ...solar, created_on: '2010-02-28' }, 'installed_in_future ELIG-2'),
  earns('H9', { ...wind, created_on: '2011-03-01' }, 47),
  refuses('H9', { ...wind, created_on: '2011-03-02' }, 'too_late TIME-1'),
  refuses('H9', { ...wind, created_on: '2011-03-01' }, 'too_late TIME-1', {
    policy: { anniversary: 'excluded' },
  }),
  earns('H9', { ...wind, created_on: '2011-02-28' }, 47, { policy: { anniversary: 'excluded' } }),
  earns('H10', { ...wind, install_date: '2007-10-05', created_on: '2020-01-01' }, 47),
  earns('H10', { ...wind, install_date: '2007-10-06', created_on: '2020-01-01' }, 47),
  refuses(
    'H10',
    { ...wind, install_date: '2007-10-06', created_on: '2020-01-01' },
    'too_late TIME-1',
    { policy: { october2007: 'twelve_months' } }, // The other reading of CF-10.
  ),
  refuses('H10', { ...wind, install_date: '2007-10-07', created_on: '2020-01-01' }, 'too_late TIME-1'),
  refuses('H11', { ...solar, deeming_years: '15', accredited_installer: 'no' }, [
    'installer_not_accredited DEEM-7',
  ]),
  earns('H11', { ...solar, deeming_years: '5', accredited_installer: 'no' }, 34),
  refuses(
    'H12',
    { ...wind, years_already_deemed: '5', still_installed: 'no' },
    'later_period_without_evidence DEEM-8',
  ),
  earns('H12', { ...wind, years_already_deemed: '5', still_installed: 'yes' }, 47),
  refuses('H12', { ...solar, years_already_deemed: 'max' }, 'deeming_not_offered DEEM-7'),
  refuses('H13', { ...wind, resource_hours: '2001', hours_audited: 'no' }, 'hours_without_audit HOURS-2'),
  earns('H13', { ...wind, resource_hours: '2000', hours_audited: 'no' }, 47),
  earns('H13', { ...wind, resource_hours: '2001', hours_audited: 'yes' }, 47, { unrounded: '47.52375' }),
  refuses('H13', { ...hydro, resource_hours: '4001', hours_audited: 'no' }, 'hours_without_audit HOURS-2'),
  plain('H14', { install_date: '2009-06-08' }, 'SC-5'),
  fiveTimes('H14', { install_date: '2009-06-09' }),
  earns('H14', { ...credited, solar_credits_schedule: 'guide', install_date: '2015-06-30' }, 20),
  plain('H14', { solar_credits_schedule: 'guide', install_date: '2015-07-01' }, 'SC-5'),
  ...['SHCP', 'RRPGP', 'NSSP'].map((name) =>
    plain('H15', { unit_programmes: name }, 'SC-7', new RegExp(name)),
  ),
  fiveTimes('H15', { unit_programmes: 'PVRP' }),
  ...['SHCP', 'PVRP', 'RRPGP', 'NSSP'].map((name) =>
    plain('H16', { premises_programmes: name }, 'SC-8', new RegExp(name)),
  ),
  ...['new_unit', 'complete_unit', 'metered'].flatMap((fact) => [
    plain('H17', { [fact]: 'no' }, 'SC-9'),
    fiveTimes('H17', { [fact]: 'yes' }),
  ]),
  plain('H18', { multiplied_before: 'yes' }, 'SC-10'),
  fiveTimes('H18', { multiplied_before: 'no' }),
  plain('H19', { premises: 'boat' }, 'PREM-8'),
  earns('H19', { ...credited, solar_credits: 'no' }, 10),
  ...['house', 'townhouse', 'apartment', 'shop', 'factory'].map((premises) => fiveTimes('H20', { premises })),
  ...['home_office', 'home_business'].map((premises) => plain('H20', { premises }, 'PREM-1', /house/)),
  ...['outbuilding', 'garage', 'studio'].map((premises) => plain('H20', { premises }, 'PREM-7')),
  // 42-56 Smith Street is one business, Unit 2 of 56 Smith Street its own.
  ...['factory', 'business', 'business_unit', 'mall_shop', 'retirement_village_unit'].map((premises) =>
    fiveTimes('H21', { premises }),
  ),
  plain('H21', { premises: 'nursing_home_room' }, 'PREM-4'),
  plain('H21', { premises: 'shop_in_dwelling' }, 'PREM-2'),
  ...['motel', 'hotel', 'resort', 'caravan_park', 'nursing_home', 'hostel', 'hospital', 'restaurant'].map(
    (premises) => fiveTimes('H22', { premises }),
  ),
  ...['school', 'church', 'club', 'hall', 'community_site'].map((premises) => fiveTimes('H22', { premises })),
  ...['hotel_room', 'villa', 'cabin', 'parked_caravan'].map((premises) =>
    plain('H22', { premises }, 'PREM-4', /the one premises of the whole establishment/),
  ),
  ...['farm_dairy', 'owners_house', 'green_keepers_house', 'separate_business_building'].map((premises) =>
    fiveTimes('H23', { premises }),
  ),
  ...[
    'street_light',
    'street_sign',
    'mobile_phone_tower',
    'boat',
    'car',
    'trailer',
    'mobile_home',
    'caravan',
  ].map((premises) => plain('H24', { premises }, 'PREM-8', new RegExp(`${premises} is never eligible`))),

  earns('I1', { ...wind, kw: '3.7', resource_hours: '1873' }, 32, { unrounded: '32.917975' }),
  earns('I1', { ...hydro, kw: '3.7', resource_hours: '3001', deeming_years: '1' }, 10, {
    unrounded: '10.548515',
  }),
  earns('I2', { ...wind, kw: '1', deeming_years: '1' }, 1, { unrounded: '1.9' }),
  earns('I2', { ...hydro, kw: '1', deeming_years: '1' }, 3, { unrounded: '3.8' }),
  earns('I3', { ...solar, postcode: '2315', zone: '', kw: '3.333', deeming_years: '1' }, 4, {
    unrounded: '4.606206',
  }),
  ...[
    ['1', '162.2'],
    ['2', '153.6'],
    ['3', '138.2'],
    ['4', '118.5'],
  ].map(([zone = '', unrounded = '']) =>
    earns('I4', { ...solar, zone, kw: '100', deeming_years: '1' }, Math.floor(Number(unrounded)), {
      unrounded,
    }),
  ),
  // The edges of ranges, as Table 2 prints them.
  ...[
    ['0799', '138.2'],
    ['0800', '153.6'],
    ['0879', '162.2'],
    ['0880', '153.6'],
    ['2357', '153.6'],
    ['2358', '138.2'],
    ['6999', '138.2'],
    ['7000', '118.5'],
    ['9999', '138.2'],
  ].map(([postcode = '', unrounded = '']) =>
    earns(
      'I4',
      { ...solar, zone: '', postcode, kw: '100', deeming_years: '1' },
      Math.floor(Number(unrounded)),
      { unrounded },
    ),
  ),
  ...[
    ['1', 6],
    ['5', 34],
    ['15', 103],
  ].map(([deeming_years, stcs]) =>
    earns('I5', { ...solar, deeming_years: `${deeming_years}` }, Number(stcs)),
  ),
  ...['0', '2', '4', '10', '14', '16'].map((deeming_years) =>
    refuses('I5', { ...solar, deeming_years }, 'deeming_not_offered DEEM-3'),
  ),
  earns('I5', { ...hydro, deeming_years: '1' }, 19),
  earns('I5', { ...hydro, deeming_years: '5' }, 95),
  refuses('I5', { ...wind, deeming_years: '15' }, 'deeming_not_offered DEEM-4'),
  refuses('I5', { ...hydro, deeming_years: '15' }, 'deeming_not_offered DEEM-4'),
  ...(
    [
      ['2009-06-09', '2010-06-30', 51],
      ['2010-07-01', '2011-06-30', 51],
      ['2011-07-01', '2012-06-30', 51],
      ['2012-07-01', '2013-06-30', 41],
      ['2013-07-01', '2014-06-30', 31],
      ['2014-07-01', '2015-06-30', 20],
    ] as const
  ).flatMap(([first, last, stcs]) =>
    [first, last].map((install_date) =>
      earns('I6', { ...credited, solar_credits_schedule: 'guide', install_date }, stcs),
    ),
  ),
  earns('I7', { ...credited, kw: '1.5' }, 51, { unrounded: '51.825' }),
  earns('I7', { ...credited, kw: '1.501' }, 51, { unrounded: '51.83191' }),
  earns('I7', { ...credited, kw: '3' }, 62, { unrounded: '62.19' }),
  earns('I8', { ...wind, kw: '2.105', resource_hours: '1000', deeming_years: '1' }, 1, {
    unrounded: '1.99975',
  }),
  earns('I8', { ...solar, zone: '1', kw: '100' }, 2433, { unrounded: '2433' }),
  earns('I9', { ...hydro, kw: '1', resource_hours: '526', deeming_years: '1' }, 0, { unrounded: '0.4997' }),
  earns('I9', { ...solar, kw: '0.361', deeming_years: '1' }, 0, { unrounded: '0.498902' }),
  earns('I9', { ...solar, kw: '0.362', deeming_years: '1' }, 1, { unrounded: '0.500284' }),
  earns('I9', { ...solar, zone: '2', kw: '0.651', deeming_years: '1' }, 1, { unrounded: '0.999936' }),
  earns('I9', { ...solar, zone: '2', kw: '0.652', deeming_years: '1' }, 1, { unrounded: '1.001472' }),
  refuses('I10', { ...wind, kw: '9.9', resource_hours: '2659' }, 'output_over_threshold THR-1'),
  earns('I10', { ...wind, kw: '9.9', resource_hours: '2658' }, 124, { unrounded: '124.99245' }),
  earns('I11', { ...solar, kw: '2', deeming_years: '5', installation_type: 'Extension' }, 13, {
    unrounded: '13.82',
  }),
  plain('I11', { installation_type: 'Extension' }, 'ADD-1'),
  earns('I13', { ...solar, postcode: '2315', zone: '', kw: '2.5', install_date: '2009-04-09' }, 51, {
    unrounded: '51.825',
  }),
  earns(
    'I14',
    {
      ...{ ...solar, postcode: '2315', zone: '', kw: '4.5', install_date: '2009-08-03' },
      ...{ deeming_years: '15', solar_credits: 'yes' },
    },
    217,
    { unrounded: '217.665' },
  ),
  earns('I15', { ...wind, kw: '2.9', resource_hours: '2000', install_date: '2009-05-01' }, 27, {
    unrounded: '27.55',
  }),
  earns('I16', { ...wind, kw: '2.9', install_date: '2009-08-03', solar_credits: 'yes' }, 84, {
    unrounded: '84.55',
  }),
];

describe('an example of each row, and one beside it', () => {
  test.each(examples)('$id: $input', ({ input, stcs, unrounded, reasons, words, policy }) => {
    const result = computeEntitlement(input, policy);
    const all = [...result.reasons, ...result.notices];
    expect(all.map(({ code, rule }) => `${code} ${rule}`)).toEqual(reasons);
    expect(result.outcome).toBe(stcs === undefined ? 'ineligible' : 'eligible');
    expect(result.stcs).toBe(stcs ?? 0);
    if (unrounded !== undefined) expect(result.unrounded).toBe(unrounded);
    if (words !== undefined) expect(all[0]?.message).toMatch(words);
  });
});

function verdict(more: Partial<ClaimFacts>) {
  const claim = claimOf(solarFacts(more));
  return assessClaim(claim, evidenceFor(claim), emptyState, currentRules);
}

describe('what only a claim can say', () => {
  const codes = (more: Partial<ClaimFacts>) => verdict(more).findings.map(({ code }) => code);

  test('H6: an extension over the threshold is refused for that', () => {
    const extension = { installation_type: 'Extension', existing_kw: '93.401' } as const;
    expect(verdict({ ...extension, existing_kw: '93.4' }).decision).toBe('approved');
    expect(verdict(extension).decision).toBe('refused');
    expect(codes(extension)).toContain('extension_over_threshold');
  });

  test('H7: not installed yet on the day of the claim', () => {
    expect(codes({ installed_on: '2026-04-21' })).toContain('installed_in_future');
    expect(codes({ installed_on: createdOn })).not.toContain('installed_in_future');
  });

  test('H8: owner at installation, builder, or an agent with an assignment', () => {
    const assigned = { claimant: 'agent', assignment: 'A-1', assigned_on: '2026-03-02' } as const;
    for (const more of [{}, { claimant: 'builder' }, assigned])
      expect(verdict(more).decision).toBe('approved');
    expect(codes({ claimant: 'other' })).toEqual(['not_owner']);
    expect(codes({ ...assigned, assignment: '' })).toEqual(['no_assignment']);
    expect(codes({ ...assigned, assigned_on: '2026-03-01' })).toEqual(['no_assignment']);
  });

  test('H12: the second claim asks for the statement that the unit is still there', () => {
    const second = { deeming: '1', years_already_deemed: '1' };
    expect(codes(second)).toEqual(['field_missing']);
    expect(verdict(second).findings[0]?.subject).toBe('still_installed');
    expect(verdict({ ...second, still_installed: 'yes' }).decision).toBe('approved');
    expect(codes({ ...second, years_already_deemed: 'max' })).toContain('deeming_not_offered');
  });

  test('I12: the calculator gives anyone the number of the assessment, and the one without Solar Credits', () => {
    const { entitlement } = verdict({});
    const calculation = { system_type: 'solar', postcode: '2302', kw: 6.6, install_date: '2026-03-02' };
    const estimate = computeEntitlementFromJson(calculation);
    expect(estimate.stcs).toBe(entitlement.stcs);
    expect(estimate.unrounded).toBe(entitlement.unrounded);
    expect(computeEntitlement({ ...credited, kw: '4.5' })).toMatchObject({
      stcs: 72,
      stcs_without_solar_credits: 31,
    });
  });
});

describe('what is shown beside the figure', () => {
  test('I1, I3: the working names zone, rating, power, years and product', () => {
    expect(computeEntitlement({ ...wind, resource_hours: '1873' }).working[0]).toBe(
      'Annual output: 0.00095 × 5 × 1873 = 8.89675 MWh',
    );
    expect(computeEntitlement({ ...solar, zone: '', postcode: '2315', kw: '3.333' }).working).toEqual([
      'Zone of postcode 2315 in the table of 2010: 3',
      'Rating of zone 3: 1.382',
      'Annual output: 1.382 × 3.333 kW = 4.606206 MWh',
      'Over 15 years: 4.606206 × 15 years = 69.09309 MWh',
      'Rounded down to whole MWh: 69.09309 MWh = 69 STCs',
      'No more than 100 kW and no more than 250 MWh a year: not a power station',
    ]);
  });

  test('I2: the default hours are said', () => {
    for (const [input, value] of [
      [wind, '2000'],
      [hydro, '4000'],
    ] as const)
      expect(computeEntitlement(input).assumed).toContainEqual(
        expect.objectContaining({ field: 'resource_hours', value }),
      );
  });

  test('I4: 126 ranges, one zone each', () => {
    expect(zones2010.length).toBe(126);
    expect(new Set(zones2010.map(([, , zone]) => zone))).toEqual(new Set([1, 2, 3, 4]));
  });

  test('H20 to H24: every kind of place is decided and says why', () => {
    for (const { kind, why } of premisesKinds) expect(why, kind).not.toBe('');
  });
});

test('no row is left out', () => {
  const elsewhere = ['H8', 'I12'];
  const rows = [
    ...Array.from({ length: 24 }, (_, at) => `H${at + 1}`),
    ...Array.from({ length: 16 }, (_, at) => `I${at + 1}`),
  ];
  const shown = new Set([...examples.map(({ id }) => id), ...elsewhere]);
  expect(rows.filter((id) => !shown.has(id))).toEqual([]);
});
