import { expect, test } from 'vitest';
import { Load } from './load.ts';

/** Full at 1,000 a second. */
const load = () => new Load(1_000);

test('nothing is no load', () => {
  expect(load().at(5_000)).toBe(0);
});

test('what came in the last second counts, what came before does not', () => {
  const of = load();
  of.arrived(1_000, 400);
  of.arrived(1_600, 100);
  expect(of.at(1_999)).toBe(0.5);
  expect(of.at(2_000)).toBe(0.1);
  expect(of.at(2_600)).toBe(0);
});

test('so does the time that work took: 400 ms of a second are full', () => {
  const of = load();
  of.worked(1_000, 1_100);
  of.worked(1_500, 1_600);
  expect(of.at(1_600)).toBe(0.5);
  expect(of.at(2_050)).toBeCloseTo(0.375);
  expect(of.at(2_100)).toBe(0.25);
  expect(of.at(2_600)).toBe(0);
});

test('the higher of the two, and never more than full', () => {
  const of = load();
  of.worked(0, 300);
  of.arrived(300, 250);
  expect(of.at(300)).toBe(0.75);
  of.arrived(300, 10_000);
  expect(of.at(300)).toBe(1);
});

test('a wait grows with the square of the load', () => {
  const of = load();
  of.arrived(0, 100);
  expect(of.waitMs(0, 500)).toBeCloseTo(5);
  of.arrived(0, 400);
  expect(of.waitMs(0, 500)).toBe(125);
  of.arrived(0, 9_000);
  expect(of.waitMs(0, 500)).toBe(500);
});
