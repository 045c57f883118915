import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import * as battery from './data/battery.ts';
import * as deeming from './data/deeming.ts';
import * as premises from './data/premises.ts';
import * as scheme from './data/scheme.ts';
import * as solarCredits from './data/solar-credits.ts';
import { ruleSetFingerprint, ruleSetVersion } from './data/version.ts';
import * as zoneRanges from './data/zone-ranges.ts';
import type { Dated } from './dated.ts';
import { assessEntitlement } from './engine.ts';

const tables = { battery, deeming, premises, scheme, solarCredits, zoneRanges };

test('whoever changes a table raises the version: the fingerprint is that of the tables', () => {
  const text = JSON.stringify(tables, (_, value) => (typeof value === 'bigint' ? value.toString() : value));
  const fingerprint = createHash('sha256').update(text).digest('hex').slice(0, 16);
  expect(ruleSetFingerprint, `the tables are ${fingerprint}: raise ruleSetVersion and store it`).toBe(
    fingerprint,
  );
});

test('every dated table ascends', () => {
  const dated: readonly (readonly Dated[])[] = [
    ...Object.values(scheme.limits),
    scheme.zoneTables,
    scheme.zoneRatings,
    ...Object.values(scheme.creationMonths),
    ...Object.values(scheme.defaultHours),
    scheme.resourceFactors,
    deeming.solarMaximum,
    ...Object.values(deeming.windHydroPeriods),
    ...Object.values(solarCredits.schedules).map(({ rows }) => rows),
    battery.batteryFactors,
    battery.batteryTiers,
    battery.batteryNominalKwh,
    ...Object.values(solarCredits.multipliedKw),
  ];
  for (const rows of dated) {
    const days = rows.map(({ from }) => from);
    expect(days.length).toBeGreaterThan(0);
    expect(days).toEqual([...new Set(days)].sort());
  }
});

test('the solar maximum is max(0, min(15, 2031 - year)) of every year (DEEM-2)', () => {
  for (let year = 2001; year <= 2031; year += 1) {
    const row = deeming.solarMaximum.findLast(({ from }) => from <= `${year}-12-31`);
    expect(row?.years).toBe(Math.max(0, Math.min(15, 2031 - year)));
  }
});

test.each([
  ['solar', '2019-12-31', 'solar/2019-01-01'],
  ['solar', '2020-01-01', 'solar/2020-01-01'],
  ['solar', '2010-06-30', 'solar/2009-06-09'],
  ['solar', '2005-11-13', 'solar/2001-04-01'],
  ['solar', '2005-11-14', 'solar/2005-11-14'],
  ['wind', '2020-01-01', 'wind/2015-07-01'],
  ['solar', '2031-01-01', 'solar/2031-01-01'],
  ['solar', '2001-03-31', 'solar'],
])('%s on %s is judged by %s', (system_type, install_date, name) => {
  const result = assessEntitlement({ system_type, install_date, kw: '1', zone: '3' });
  expect(result.rule_set).toBe(`${ruleSetVersion}/${name}`);
});

test('an invalid row names the version, and other readings name themselves', () => {
  expect(assessEntitlement({}).rule_set).toBe(ruleSetVersion);
  const policy = {
    anniversary: 'excluded',
    october2007: 'any_time',
    windHydroPeriods: 'unshortened',
  } as const;
  const result = assessEntitlement({ system_type: 'wind', kw: '1', install_date: '2028-01-01' }, policy);
  expect(result.rule_set).toBe(
    `${ruleSetVersion}/wind/2028-01-01+anniversary=excluded+windHydroPeriods=unshortened`,
  );
});
