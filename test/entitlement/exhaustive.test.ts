import { describe, expect, test } from 'vitest';
import { decimal, times, wholeNumber } from '#shared/domain/entitlement/decimal.ts';
import { assessEntitlement } from '#shared/domain/entitlement/index.ts';
import { roundProduct } from '#shared/domain/entitlement/quantities.ts';

// The other arithmetic: plain integers. A watt times a thousandth of a rating is a millionth of a MWh; everything stays far below
// 2^53, and the remainder is taken before the division, so nothing is ever rounded.
const ratings = { 1: 1622, 2: 1536, 3: 1382, 4: 1185 } as const;
const zones = [1, 2, 3, 4] as const;
const million = 1_000_000;

function certificates(millionths: number): number {
  if (millionths >= million) return (millionths - (millionths % million)) / million;
  return millionths * 2 >= million ? 1 : 0;
}

function kwText(watts: number): string {
  return `${Math.trunc(watts / 1000)}.${String(watts % 1000).padStart(3, '0')}`;
}

function millionthsText(millionths: number): string {
  const whole = (millionths - (millionths % million)) / million;
  const fraction = String(millionths % million)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return fraction === '' ? String(whole) : `${whole}.${fraction}`;
}

/** A year whose maximum is this many years. */
function yearWithMaximum(years: number): number {
  return 2031 - years;
}

describe('every kW from 0.001 to 100.000, four zones', () => {
  test('the product and its rounding, over every period from 1 to 15 years: 6,000,000 of them', () => {
    let wrong = 0;
    for (let watts = 1; watts <= 100_000; watts += 1) {
      const kw = decimal(kwText(watts));
      for (const zone of zones) {
        const annual = times(decimals[zone], kw);
        for (const years of periods) {
          const { stcs } = roundProduct(times(annual, wholeYears[years]!));
          if (stcs !== certificates(watts * ratings[zone] * years)) wrong += 1;
        }
      }
    }
    expect(wrong).toBe(0);
  }, 120_000);

  // The whole engine for each kW and zone, the periods taking turns so that each meets every zone.
  test('the engine, text to text: 400,000 calculations', () => {
    const wrong: string[] = [];
    for (let watts = 1; watts <= 100_000; watts += 1) {
      for (const zone of zones) {
        const years = ((watts + zone * 4) % 15) + 1;
        const kw = kwText(watts);
        const install_date = `${yearWithMaximum(years)}-07-01`;
        const result = assessEntitlement({ system_type: 'solar', zone: String(zone), kw, install_date });
        const product = watts * ratings[zone] * years;
        const isRight =
          result.outcome === 'eligible' &&
          result.stcs === certificates(product) &&
          result.unrounded === millionthsText(product) &&
          result.annual_mwh === millionthsText(watts * ratings[zone]);
        if (!isRight) wrong.push(`${kw} kW, zone ${zone}, ${years} years: ${JSON.stringify(result)}`);
      }
    }
    expect(wrong.slice(0, 3)).toEqual([]);
  }, 120_000);

  test('the engine with Solar Credits, every kW: the first 1,500 W five times', () => {
    const wrong: string[] = [];
    for (let watts = 1; watts <= 100_000; watts += 1) {
      const zone = zones[watts % 4]!;
      const years = ([1, 5, 15] as const)[watts % 3]!;
      const result = assessEntitlement({
        ...{ system_type: 'solar', zone: String(zone), kw: kwText(watts), install_date: '2011-06-30' },
        ...{ solar_credits: 'yes', deeming_years: String(years) },
      });
      const product = (Math.min(watts, 1500) * 5 + Math.max(watts - 1500, 0)) * ratings[zone] * years;
      if (result.stcs !== certificates(product) || result.unrounded !== millionthsText(product))
        wrong.push(kwText(watts));
    }
    expect(wrong).toEqual([]);
  }, 60_000);
});

describe('every wind and hydro power, the default hours and others', () => {
  // A watt, an hour and 95 hundred-thousandths of a MWh per kW: hundred-millionths of a MWh.
  test.each([
    ['wind', 10_000, 2000],
    ['wind', 10_000, 2631],
    ['wind', 10_000, 1],
    ['hydro', 6_400, 4000],
    ['hydro', 6_400, 4111],
    ['hydro', 6_400, 999],
  ])('%s to %i W at %i hours', (system_type, most, hours) => {
    const wrong: string[] = [];
    for (let watts = 1; watts <= most; watts += 1) {
      const years = watts % 2 === 0 ? 1 : 5;
      const result = assessEntitlement({
        ...{ system_type, kw: kwText(watts), install_date: '2012-03-04' },
        ...{ resource_hours: String(hours), deeming_years: String(years) },
      });
      const product = BigInt(95 * watts * hours * years);
      const hundredMillion = 100_000_000n;
      const expected =
        product >= hundredMillion ? Number(product / hundredMillion) : product * 2n >= hundredMillion ? 1 : 0;
      if (result.outcome !== 'eligible' || result.stcs !== expected)
        wrong.push(`${watts} W: ${result.stcs} not ${expected}`);
    }
    expect(wrong).toEqual([]);
  });
});

const decimals = {
  1: decimal('1.622'),
  2: decimal('1.536'),
  3: decimal('1.382'),
  4: decimal('1.185'),
} as const;
const periods = Array.from({ length: 15 }, (_, index) => index + 1);
const wholeYears = Array.from({ length: 16 }, (_, years) => wholeNumber(years));
