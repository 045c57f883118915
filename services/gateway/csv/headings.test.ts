import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  batteryRegistration,
  inverterRegistration,
  panelRegistration,
} from '#gateway/submissions/documents.ts';
import { readHeadings } from './headings.ts';

const { layout } = panelRegistration;
const published = ['Supplier name', 'Licensee/Certificate holder', 'Model number', 'Serial number'];

test('any order', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(published, { minLength: 4 }), (cells) => {
      expect(readHeadings(cells, layout, 1)).toEqual({
        cellOf: published.map((name) => cells.indexOf(name)),
        width: 4,
      });
    }),
  );
});

test.each([
  ['another case', ['supplier name', 'licensee/certificate holder', 'MODEL NUMBER', 'serial Number']],
  [
    'extra spaces',
    [' Supplier  name', 'Licensee / Certificate\u00a0holder', 'Model number ', '\tSerial number'],
  ],
  ['aliases', ['Supplier', 'Certificate Holder', 'Model', 'Serial']],
])('%s', (_, cells) => {
  expect(readHeadings(cells, layout, 1)).toEqual({ cellOf: [0, 1, 2, 3], width: 4 });
});

test('empty cells behind the last heading are what spreadsheets leave', () => {
  expect(readHeadings([...published, '', ' '], layout, 1)).toMatchObject({ width: 4 });
});

test.each([
  [
    'a missing one',
    published.slice(0, 3),
    { refused: 'headings_missing', facts: { missing: ['Serial number'] } },
  ],
  [
    'a misspelt one',
    ['Supplier name', 'Licensee/Certificate holder', 'Modell', 'Serial number'],
    { refused: 'headings_missing', facts: { missing: ['Model number'], unknown: ['Modell'] } },
  ],
  [
    'one too many',
    [...published, 'Status'],
    {
      refused: 'headings_unknown',
      detail: 'line 1: "Status" in column 5',
      facts: { line: 1, unknown: ['Status'], columns: [5] },
    },
  ],
  [
    'a gap',
    ['Supplier name', '', ...published.slice(1)],
    { refused: 'headings_unknown', facts: { unknown: [''], columns: [2] } },
  ],
  [
    'a doubled one, by an alias',
    [...published, 'Model'],
    { refused: 'headings_repeated', facts: { repeated: ['Model number'], columns: [5] } },
  ],
  ['data in place of headings', ['ACME', 'ACME', 'M-1', 'S1'], { refused: 'headings_missing' }],
])('%s is refused by name', (_, cells, refusal) => {
  expect(readHeadings(cells, layout, 1)).toMatchObject(refusal);
});

// HEAD-2, HEAD-4
test.each([
  [
    'an inverter’s brand is its manufacturer',
    inverterRegistration,
    ['Brand', 'Model', 'Series', 'Serial number'],
    [0, 1, 2, 3],
  ],
  [
    'a battery’s too, where it is the only one',
    batteryRegistration,
    ['Brand', 'Model', 'Series', 'Serial number'],
    [0, -1, 1, 2, 3],
  ],
  [
    'beside a manufacturer it is the brand',
    batteryRegistration,
    ['brand', 'Manufacturer', 'Model', 'Series', 'Serial number'],
    [1, 0, 2, 3, 4],
  ],
  [
    'by whatever name',
    batteryRegistration,
    ['Manufacturer', 'Brand name', 'Model', 'Series', 'Serial number'],
    [0, 1, 2, 3, 4],
  ],
  [
    'none is needed',
    batteryRegistration,
    ['Manufacturer', 'Model', 'Series', 'Serial number'],
    [0, -1, 1, 2, 3],
  ],
])('%s', (_, { layout }, cells, cellOf) => {
  expect(readHeadings(cells, layout, 1)).toEqual({ cellOf, width: cells.length });
});

test('an inverter with manufacturer and brand has one heading twice; so has a battery with two brands', () => {
  const rest = ['Model', 'Series', 'Serial number'];
  expect(readHeadings(['Manufacturer', 'Brand', ...rest], inverterRegistration.layout, 1)).toMatchObject({
    refused: 'headings_repeated',
    facts: { repeated: ['Manufacturer'] },
  });
  const twice = ['Manufacturer', 'Brand', 'Brand name', ...rest];
  expect(readHeadings(twice, batteryRegistration.layout, 1)).toMatchObject({
    refused: 'headings_repeated',
    facts: { repeated: ['Brand'] },
  });
});
