import { describe, expect, test } from 'vitest';
import { computeEntitlement } from './engine.ts';
import { computeEntitlementFromJson, entitlementFromJson } from './json.ts';
import { effectOf, reasonCatalogue } from './reasons.ts';
import { outputColumns, resultCells } from './result.ts';

describe('a calculation as JSON', () => {
  test('numbers, booleans, null and lists are what their text would be', () => {
    const text = {
      ...{ system_type: 'solar', zone: '3', kw: '6.6', install_date: '2010-03-01', deeming_years: '15' },
      ...{
        solar_credits: 'yes',
        new_unit: 'no',
        premises_programmes: 'PVRP NSSP',
        unit_programmes: 'none',
        postcode: '',
      },
    };
    const json = {
      ...{
        system_type: 'solar',
        zone: 3,
        kw: 6.6,
        install_date: '2010-03-01',
        deeming_years: 15,
        postcode: null,
      },
      ...{ solar_credits: true, new_unit: false, premises_programmes: ['PVRP', 'NSSP'], unit_programmes: [] },
    };
    expect(entitlementFromJson(json)).toEqual({ input: text });
    expect(computeEntitlementFromJson(json)).toEqual(computeEntitlement(text));
  });

  test.each([null, [], 'solar', 1, undefined])('%j is no calculation', (value) => {
    const result = computeEntitlementFromJson(value);
    expect(result).toMatchObject({ outcome: 'invalid', stcs: null, reasons: [{ code: 'row_damaged' }] });
  });

  test.each([
    [{ kW: 1 }, 'is not a known name'],
    [{ toString: 1 }, 'is not a known name'],
    [{ constructor: 1 }, 'is not a known name'],
    [{ kw: { value: 1 } }, 'cannot be a list or an object'],
    [{ kw: [1] }, 'cannot be a list or an object'],
  ])('%j: the fault is named', (value, message) => {
    const reading = entitlementFromJson(value);
    expect('faults' in reading && reading.faults[0]?.message).toContain(message);
  });

  test.each([1e21, 1e-7, Number.NaN, Number.POSITIVE_INFINITY, -1])('the number %d is no quantity', (kw) => {
    const json = { system_type: 'solar', zone: 3, install_date: '2010-03-01', kw };
    expect(computeEntitlementFromJson(json).reasons).toMatchObject([{ code: 'field_invalid', field: 'kw' }]);
  });
});

describe('the result', () => {
  test('as cells: one for each output column, reasons before notices, lists joined', () => {
    const result = computeEntitlement({
      ...{ system_type: 'solar', zone: '3', kw: '101', install_date: '2010-03-01', deeming_years: '5' },
      ...{ solar_credits: 'yes', metered: 'no', created_on: '2010-03-02', installation_type: 'New' },
    });
    const cells = Object.fromEntries(outputColumns.map((name, index) => [name, resultCells(result)[index]]));
    expect(cells).toEqual({
      outcome: 'ineligible',
      stcs: '0',
      unrounded: '',
      annual_mwh: '139.582',
      rule_set: 'sres-1/solar/2009-06-09',
      rule_ids: 'TIME-1;THR-4;DEEM-3;ZONE-1;FORM-1;SC-9',
      reasons:
        'power_over_threshold (THR-4): 101 kW is over 100 kW: not a small generation unit but a power station, which needs accreditation; multiplier_not_applied (SC-9): the unit cannot be metered at the premises and has no meter of its own',
      assumed: '',
    });
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });
});

describe('the catalogue of reasons', () => {
  test('has each code once, first what is invalid, then what refuses, then notes', () => {
    const codes = reasonCatalogue.map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    const effects = codes.map(effectOf);
    expect(effects).toEqual([...effects].sort((a, b) => rank(a) - rank(b)));
  });

  test('explains and advises', () => {
    for (const { meaning, advice } of reasonCatalogue) {
      expect(meaning).toMatch(/^[A-Z].*\.$/);
      expect(advice).toMatch(/^[A-Z].*\.$/);
    }
  });
});

function rank(effect: string): number {
  return ['invalid', 'refuse', 'note'].indexOf(effect);
}
