import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { noFacts } from './claim.ts';
import { claimFromJson, claimJsonSchema } from './from-json.ts';

const good = {
  unit_kind: 'Solar',
  installed_on: '2026-03-02',
  address: ' 12 Example Street ',
  postcode: '0822',
  rated_power_kw: 6.6,
  deeming: 5,
  panel_count: 2,
  complete_unit: true,
  panels: [{ holder: 'Sunward', model: 'S-1', quantity: 2, serials: ['A 1', 'A2'] }],
  inverters: [{ holder: 'Gridline', series: 'G', model: 'G-1', serials: ['I1'] }],
  credits: { requested: false, unit_programmes: [], premises_programmes: ['SHCP', 'NSSP'] },
};

test('a claim is read, what is not given is empty, and serials are kept as given', () => {
  expect(claimFromJson(good)).toEqual({
    claim: {
      ...noFacts,
      unit_kind: 'solar',
      installed_on: '2026-03-02',
      address: '12 Example Street',
      postcode: '0822',
      rated_power_kw: '6.6',
      deeming: '5',
      panel_count: 2,
      complete_unit: 'yes',
      equipment: [
        {
          product: 'panel',
          holder: 'Sunward',
          series: '',
          model: 'S-1',
          quantity: 2,
          serials: ['A 1', 'A2'],
        },
        { product: 'inverter', holder: 'Gridline', series: 'G', model: 'G-1', quantity: -1, serials: ['I1'] },
      ],
      credits: {
        ...noFacts.credits,
        requested: 'no',
        unit_programmes: 'none',
        premises_programmes: 'SHCP NSSP',
      },
    },
  });
});

describe('what is refused, and what passes beside it', () => {
  test.each([
    ['unit_kind', { unit_kind: 'geothermal' }, { unit_kind: 'WIND' }],
    ['installed_on', { installed_on: '2026-02-29' }, { installed_on: '2024-02-29' }],
    ['installed_on', { installed_on: '02/03/2026' }, { installed_on: '2026-03-02' }],
    ['postcode', { postcode: 822 }, { postcode: '0822' }],
    ['postcode', { postcode: '822' }, { postcode: '0822' }],
    ['rated_power_kw', { rated_power_kw: '6,6' }, { rated_power_kw: '6.60' }],
    ['rated_power_kw', { rated_power_kw: 1e-7 }, { rated_power_kw: 0.001 }],
    ['panel_count', { panel_count: 2.5 }, { panel_count: 2 }],
    ['complete_unit', { complete_unit: 'yes' }, { complete_unit: false }],
    ['deeming', { deeming: 'five' }, { deeming: 'max' }],
    ['retailer_abn', { retailer_abn: '1234567890' }, { retailer_abn: '12345678901' }],
    ['owner', { owner: 'x'.repeat(201) }, { owner: 'x'.repeat(200) }],
    ['panels', { panels: {} }, { panels: [] }],
    ['panels[0].serials[0]', { panels: [{ serials: [''] }] }, { panels: [{ serials: ['1'] }] }],
    [
      'panels[0].serials[0]',
      { panels: [{ serials: ['x'.repeat(101)] }] },
      { panels: [{ serials: ['x'.repeat(100)] }] },
    ],
    [
      'panels[0].serials',
      { panels: [{ serials: Array.from({ length: 1_001 }, (_, i) => `${i}`) }] },
      { panels: [{ serials: Array.from({ length: 1_000 }, (_, i) => `${i}`) }] },
    ],
    ['credits', { credits: [] }, { credits: {} }],
    [
      'credits.unit_programmes',
      { credits: { unit_programmes: 'SHCP' } },
      { credits: { unit_programmes: ['SHCP'] } },
    ],
  ])('%s', (field, wrong, right) => {
    const refused = claimFromJson({ ...good, ...wrong });
    expect('reasons' in refused && refused.reasons.map((reason) => reason.field)).toEqual([field]);
    expect('reasons' in refused && refused.reasons[0]?.code).toBe('field_invalid');
    expect(claimFromJson({ ...good, ...right })).toHaveProperty('claim');
  });

  test('an unknown name is a fault, since a misspelt fact would be lost', () => {
    expect(claimFromJson({ ...good, postcod: '2315' })).toEqual({
      reasons: [{ code: 'field_unknown', field: 'postcod', message: 'postcod is not a field of a claim' }],
    });
    expect(claimFromJson({ ...good, panels: [{ brand: 'x' }] })).toMatchObject({
      reasons: [{ code: 'field_unknown', field: 'panels[0].brand' }],
    });
    expect(claimFromJson({ ...good, toString: 1, constructor: 1 })).toHaveProperty('reasons');
  });

  test('all faults are reported together', () => {
    const read = claimFromJson({ postcode: 1, claimant: 'me', panels: 1 });
    expect('reasons' in read && read.reasons.map(({ field }) => field).sort()).toEqual([
      'claimant',
      'installed_on',
      'panels',
      'postcode',
      'unit_kind',
    ]);
  });

  test('more serials than one claim may have', () => {
    const serials = Array.from({ length: 1_000 }, (_, i) => `S${i}`);
    const read = claimFromJson({
      ...good,
      panels: [{ serials }, { serials }, { serials: ['one more'] }],
      inverters: [],
    });
    expect(read).toMatchObject({ reasons: [{ field: 'serials' }] });
  });
});

test('whatever JSON comes, there is an answer', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      const read = claimFromJson(json);
      expect('claim' in read || read.reasons.length > 0).toBe(true);
    }),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(noFacts), 'panels', 'turbines'),
      fc.jsonValue(),
      (name, value) => {
        const read = claimFromJson({ ...good, [name]: value });
        expect('claim' in read || read.reasons.length > 0).toBe(true);
      },
    ),
  );
});

test('the JSON Schema names the same fields', () => {
  const { properties } = claimJsonSchema as { properties: Record<string, object> };
  const { equipment: _, ...facts } = noFacts;
  expect(Object.keys(properties).sort()).toEqual(
    [...Object.keys(facts), 'panels', 'inverters', 'batteries', 'turbines'].sort(),
  );
});
