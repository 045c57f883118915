import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { EntitlementInput } from './columns.ts';
import * as battery from './data/battery.ts';
import * as deeming from './data/deeming.ts';
import * as scheme from './data/scheme.ts';
import * as solarCredits from './data/solar-credits.ts';
import { decimal } from './decimal.ts';

// "Adding a new year or factor touches data only": here are years and factors that no law knows, added to the tables alone.

interface Tables {
  readonly battery?: Partial<typeof battery>;
  readonly deeming?: Partial<typeof deeming>;
  readonly scheme?: Partial<typeof scheme>;
  readonly solarCredits?: Partial<typeof solarCredits>;
}

const files = {
  battery: ['./data/battery.ts', battery],
  deeming: ['./data/deeming.ts', deeming],
  scheme: ['./data/scheme.ts', scheme],
  solarCredits: ['./data/solar-credits.ts', solarCredits],
} as const;

afterEach(() => {
  for (const [file] of Object.values(files)) vi.doUnmock(file);
  vi.resetModules();
});

/** The engine over other tables. */
async function engineWith(tables: Tables) {
  vi.resetModules();
  for (const name of Object.keys(files) as (keyof Tables)[]) {
    const [file, actual] = files[name];
    vi.doMock(file, () => ({ ...actual, ...tables[name] }));
  }
  const { assessEntitlement, computeEntitlement } = await import('./engine.ts');
  return {
    compute: computeEntitlement,
    unrounded: (input: EntitlementInput) => assessEntitlement(input).unrounded,
    ruleSet: (input: EntitlementInput) => assessEntitlement(input).rule_set.replace(/^.*?\//, ''),
    codes: (input: EntitlementInput) => assessEntitlement(input).reasons.map(({ code }) => code),
  };
}

test('a scheme that goes on for two years: deeming, battery factors, the last day', async () => {
  const last = '2032-12-31';
  const { unrounded, ruleSet, codes } = await engineWith({
    scheme: {
      scheme: {
        ...scheme.scheme,
        solar: { ...scheme.scheme.solar, to: last },
        battery: { ...scheme.scheme.battery, to: last },
      },
    },
    deeming: {
      solarMaximum: [
        ...deeming.solarMaximum.filter(({ years }) => years > 0),
        { from: '2031-01-01', years: 7 },
        { from: '2032-01-01', years: 6 },
      ],
    },
    battery: {
      batteryFactors: [
        ...battery.batteryFactors,
        { from: '2031-01-01', factor: decimal('1.75'), rule: 'BAT-2' },
      ],
    },
  });
  const solar = { system_type: 'solar', zone: '4', kw: '10' };
  expect(unrounded({ ...solar, install_date: '2031-01-01' })).toBe('82.95');
  expect(ruleSet({ ...solar, install_date: '2031-01-01' })).toBe('solar/2031-01-01');
  expect(unrounded({ ...solar, install_date: last })).toBe('71.1');
  expect(codes({ ...solar, install_date: '2033-01-01' })).toEqual(['after_scheme']);
  const ten = { system_type: 'battery', nominal_kwh: '10', usable_kwh: '10', install_date: '2031-06-01' };
  expect(unrounded(ten)).toBe('17.5');
  expect(ruleSet(ten)).toBe('battery/2031-01-01');
});

test('other limits, hours, ratings, factors and battery sizes from a day on', async () => {
  const [before, from] = ['2028-12-31', '2029-01-01'];
  const { unrounded, codes } = await engineWith({
    scheme: {
      limits: {
        ...scheme.limits,
        solar: [
          ...scheme.limits.solar,
          { from, kw: decimal('1000'), mwhAYear: decimal('2500'), rule: 'THR-7' },
        ],
      },
      defaultHours: {
        ...scheme.defaultHours,
        wind: [...scheme.defaultHours.wind, { from, hours: 2500 }],
      },
      resourceFactors: [...scheme.resourceFactors, { from, factor: decimal('0.001') }],
      zoneRatings: [
        ...scheme.zoneRatings,
        {
          from,
          ratings: { 1: decimal('2'), 2: decimal('1.9'), 3: decimal('1.8'), 4: decimal('1.7') },
        },
      ],
    },
    battery: {
      batteryNominalKwh: [...battery.batteryNominalKwh, { from, least: decimal('2'), most: decimal('200') }],
    },
  });
  const large = { system_type: 'solar', zone: '1', kw: '1000', deeming_years: '1' };
  expect(codes({ ...large, install_date: before })).toEqual([
    'power_over_threshold',
    'output_over_threshold',
  ]);
  expect(unrounded({ ...large, install_date: from })).toBe('2000');
  const wind = { system_type: 'wind', kw: '2', deeming_years: '1' };
  expect(unrounded({ ...wind, install_date: before })).toBe('3.8');
  expect(unrounded({ ...wind, install_date: from })).toBe('5');
  const unaudited = { ...wind, resource_hours: '2500', hours_audited: 'no' };
  expect(codes({ ...unaudited, install_date: before })).toEqual(['hours_without_audit']);
  expect(codes({ ...unaudited, install_date: from })).toEqual([]);
  const bigBattery = { system_type: 'battery', nominal_kwh: '150', usable_kwh: '10' };
  expect(codes({ ...bigBattery, install_date: before })).toEqual(['battery_size_outside']);
  expect(codes({ ...bigBattery, install_date: from })).toEqual([]);
});

test('another first capacity with Solar Credits, and another time limit', async () => {
  const from = '2010-01-01';
  const { unrounded, codes, compute } = await engineWith({
    solarCredits: {
      multipliedKw: {
        ...solarCredits.multipliedKw,
        grid: [...solarCredits.multipliedKw.grid, { from, kw: decimal('2'), rule: 'SC-5' }],
      },
    },
    scheme: {
      creationMonths: {
        ...scheme.creationMonths,
        any_time: [...scheme.creationMonths.any_time, { from, months: 6, rule: 'TIME-1' }],
      },
    },
  });
  const solar = { system_type: 'solar', zone: '3', kw: '2', deeming_years: '1', solar_credits: 'yes' };
  expect(unrounded({ ...solar, install_date: '2009-12-31' })).toBe('11.056');
  expect(unrounded({ ...solar, install_date: from })).toBe('13.82');
  const late = { ...solar, install_date: '2010-01-31', created_on: '2010-08-01' };
  expect(codes(late)).toEqual(['too_late']);
  expect(codes({ ...late, created_on: '2010-07-31' })).toEqual([]);
  const { reasons, checks } = compute(late);
  expect(reasons[0]?.message).toContain('over 6 months after the installation');
  expect(checks).toContain('Created within 6 months of the installation? No');
});

test('no year and no factor stands outside the tables', () => {
  const sources = readdirSync(import.meta.dirname).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  );
  expect(sources.length).toBeGreaterThan(15);
  // The half of the rounding (ROUND-3), the least power there is (KW-1).
  const ours = new Set(['0.5', '0.001']);
  for (const name of sources) {
    const code = readFileSync(path.join(import.meta.dirname, name), 'utf8')
      .replace(/\/\*[\s\S]*?\*\//g, '')
      .replace(/^\s*\/\/.*$/gm, '');
    const figures = code.match(/\b(?:19|20)\d\d\b|\b\d+\.\d+\b/g) ?? [];
    expect(
      figures.filter((figure) => !ours.has(figure)),
      name,
    ).toEqual([]);
  }
});
