import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inputColumns } from '#shared/domain/entitlement/columns.ts';
import {
  assessEntitlement,
  computeEntitlement,
  computeEntitlementFromJson,
  type Entitlement,
  type EntitlementInput,
  type InputColumn,
  reasonCatalogue,
  resultCells,
} from '#shared/domain/entitlement/index.ts';

const watts = fc.integer({ min: 1, max: 100_000 });
const kwText = (value: number) => `${Math.trunc(value / 1000)}.${String(value % 1000).padStart(3, '0')}`;
const day = fc
  .date({ min: new Date('1999-01-01'), max: new Date('2033-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));

const goodRow: fc.Arbitrary<EntitlementInput> = fc.oneof(
  fc.record({
    system_type: fc.constant('solar'),
    zone: fc.constantFrom('', '1', '2', '3', '4'),
    postcode: fc.constantFrom('2315', '0800', '7000'),
    kw: watts.map(kwText),
    install_date: day,
  }),
  fc.record({
    system_type: fc.constantFrom('wind', 'hydro'),
    kw: fc.integer({ min: 1, max: 7000 }).map(kwText),
    install_date: day,
    resource_hours: fc.constantFrom('', '1', '2000', '4000', '8760'),
  }),
  fc.record({
    system_type: fc.constant('battery'),
    usable_kwh: fc.constantFrom('4.5', '14', '28.001', '50', '100'),
    install_date: fc.constantFrom('2025-06-30', '2025-12-31', '2026-05-01', '2029-02-03', '2031-01-01'),
  }),
);

/** What a person could put into a few more cells, good or bad. */
const cell = <Name extends InputColumn>(name: Name, ...values: readonly string[]) =>
  fc.constantFrom(...values).map((value): EntitlementInput => ({ [name]: value }));
const yesNo = ['yes', 'no', ''] as const;
const anyCell: fc.Arbitrary<EntitlementInput> = fc.oneof(
  cell('system_type', 'tidal', ''),
  cell('postcode', '80', '9999', ''),
  cell('kw', '', '0', 'x', '100.0001', '100'),
  cell('install_date', '', '2020-02-30', '2010-01-01'),
  day.map((created_on) => ({ created_on })),
  cell('deeming_years', '', 'max', '1', '5', '15', '11', '0', 'x'),
  cell('resource_hours', '9000', '8000'),
  cell('hours_audited', ...yesNo),
  cell('solar_credits', 'yes', 'yes', 'no'),
  cell('solar_credits_schedule', 'regulated', 'guide', 'x'),
  cell('nominal_kwh', '5', '50', '100', '101'),
  cell('accredited_installer', ...yesNo),
  cell('installation_type', 'New', 'Replacement', 'Extension', 'Additional system'),
  cell('complete_unit', ...yesNo),
  cell('premises', 'house', 'boat', 'home_office', 'moon'),
  cell('premises_programmes', 'none', 'PVRP', 'SHCP NSSP'),
  cell('multiplied_before', ...yesNo),
  cell('years_already_deemed', '0', '5', 'max'),
  cell('still_installed', ...yesNo),
  cell('off_grid', ...yesNo),
  cell('vpp_ready', ...yesNo),
);
const anyRow = fc
  .tuple(goodRow, fc.array(anyCell, { maxLength: 5 }))
  .map(([row, cells]): EntitlementInput => Object.assign({}, row, ...cells));

const solarRow = fc.record({
  zone: fc.constantFrom('1', '2', '3', '4'),
  install_date: day,
  solar_credits: fc.constantFrom('yes', 'no'),
});

describe('properties', () => {
  test('more power never earns less, while the unit stays a small one', () => {
    fc.assert(
      fc.property(solarRow, watts, watts, (row, a, b) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)].map((value) =>
          assessEntitlement({ system_type: 'solar', ...row, kw: kwText(value) }),
        ) as [Entitlement, Entitlement];
        if (more.outcome === 'eligible') {
          expect(less.outcome).toBe('eligible');
          expect(less.stcs).toBeLessThanOrEqual(more.stcs ?? -1);
        }
      }),
    );
  });

  test('Solar Credits never lower a figure, and without them it is the one stated beside', () => {
    fc.assert(
      fc.property(
        solarRow,
        watts,
        fc.constantFrom('regulated', 'guide'),
        (row, value, solar_credits_schedule) => {
          const input = { system_type: 'solar', ...row, kw: kwText(value), solar_credits_schedule };
          const plain = assessEntitlement({ ...input, solar_credits: 'no' });
          const credited = assessEntitlement({ ...input, solar_credits: 'yes' });
          expect(credited.outcome).toBe(plain.outcome);
          expect(credited.stcs ?? 0).toBeGreaterThanOrEqual(plain.stcs ?? 0);
          expect(credited.stcs_without_solar_credits ?? credited.stcs).toBe(plain.stcs);
        },
      ),
    );
  });

  test('the rounding takes less than one, gives at most a half, and leaves whole numbers alone', () => {
    fc.assert(
      fc.property(solarRow, watts, (row, value) => {
        const { outcome, stcs, unrounded } = assessEntitlement({
          system_type: 'solar',
          ...row,
          kw: kwText(value),
        });
        fc.pre(outcome === 'eligible');
        const [whole = '0', fraction = ''] = (unrounded ?? '').split('.');
        if (BigInt(whole) >= 1n) expect(BigInt(stcs ?? -1)).toBe(BigInt(whole));
        else expect(stcs).toBe(fraction.padEnd(1, '0') >= '5' ? 1 : 0);
      }),
    );
  });

  test('the order of the columns changes nothing', () => {
    fc.assert(
      fc.property(
        anyRow,
        fc.shuffledSubarray([...inputColumns], { minLength: inputColumns.length }),
        (row, order) => {
          const shuffled = Object.fromEntries(order.map((name) => [name, row[name]]));
          expect(computeEntitlement(shuffled)).toEqual(computeEntitlement(row));
        },
      ),
    );
  });

  test('any row is answered, with one outcome, its reasons in the order of the catalogue, and everything consistent', () => {
    const seen = { invalid: 0, ineligible: 0, eligible: 0 };
    const order = new Map(
      reasonCatalogue.map(({ code, effect }, index) => [code as string, { index, effect }]),
    );
    fc.assert(
      fc.property(anyRow, (row) => {
        const result = computeEntitlement(row);
        const all = [...result.reasons, ...result.notices];
        const places = all.map(({ code }) => order.get(code)?.index ?? -1);
        expect(places).toEqual(places.toSorted((a, b) => a - b));
        const effects = result.reasons.map(({ code }) => order.get(code)?.effect);
        const expected = effects.includes('invalid')
          ? 'invalid'
          : effects.length > 0
            ? 'ineligible'
            : 'eligible';
        expect(result.outcome).toBe(expected);
        seen[expected] += 1;
        expect(result.stcs === null).toBe(expected === 'invalid');
        expect(result.unrounded !== null).toBe(expected === 'eligible');
        for (const { message } of all) expect(message).not.toMatch(/[;\r\n]/);
        for (const { field } of result.assumed) expect(row[field] ?? '').toBe('');
        expect(resultCells(result).length).toBe(8);
        expect(new Set(result.rule_ids).size).toBe(result.rule_ids.length);
      }),
      { numRuns: 3000 },
    );
    // The rows are worth something only when all three kinds are among them.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(300);
  });

  test('stating what was assumed changes no figure', () => {
    const values = new Map([
      ['premises', 'house'],
      ['existing_kw', '0.001'],
      ['nominal_kwh', '100'],
    ]);
    fc.assert(
      fc.property(anyRow, (row) => {
        const result = assessEntitlement(row);
        fc.pre(result.outcome === 'eligible');
        const stated = result.assumed.map(({ field, value }) => [field, values.get(field) ?? value]);
        const created = row.created_on ?? row.install_date;
        const again = assessEntitlement({ ...row, ...Object.fromEntries(stated), created_on: created });
        expect(again.unrounded).toBe(result.unrounded);
        expect(again.stcs).toBe(result.stcs);
        expect(again.outcome).toBe('eligible');
      }),
      { numRuns: 2000 },
    );
  });

  test('no JSON value makes it throw', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(computeEntitlementFromJson(value).outcome).toBe('invalid');
      }),
    );
  });
});
