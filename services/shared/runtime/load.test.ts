import { expect, test } from 'vitest';
import { Load } from './load.ts';

/** Full at 1,000 rows a second. */
const load = () => new Load(1_000);

test('nothing is no load', () => {
  expect(load().at(5_000)).toBe(0);
});

test('rows of the last second count, older ones do not', () => {
  const of = load();
  of.arrived(1_000, 400);
  of.arrived(1_600, 100);
  expect(of.at(1_999)).toBe(0.5);
  expect(of.at(2_000)).toBe(0.1);
  expect(of.at(2_600)).toBe(0);
});

test('so does the time that inserts took: 400 ms of a second are full', () => {
  const of = load();
  of.inserted(1_000, 1_100);
  of.inserted(1_500, 1_600);
  expect(of.at(1_600)).toBe(0.5);
  expect(of.at(2_050)).toBeCloseTo(0.375);
  expect(of.at(2_100)).toBe(0.25);
  expect(of.at(2_600)).toBe(0);
});

test('the higher of the two, and never more than full', () => {
  const of = load();
  of.inserted(0, 300);
  of.arrived(300, 250);
  expect(of.at(300)).toBe(0.75);
  of.arrived(300, 10_000);
  expect(of.at(300)).toBe(1);
});
