import { expect, test } from 'vitest';
import { csvCell, csvRow } from './csv.ts';

test('cells are quoted where they must be, and no spreadsheet takes one for a formula', () => {
  expect(['a', 'a,b', 'say "no"', 'two\nlines', '=1+1', '+61', '-', '@x'].map(csvCell)).toEqual([
    'a',
    '"a,b"',
    '"say ""no"""',
    '"two\nlines"',
    "'=1+1",
    "'+61",
    "'-",
    "'@x",
  ]);
});

test('a verdict is one row: codes for machines, sentences for people', () => {
  const finding = {
    code: 'serial_not_found',
    effect: 'ask',
    subject: 'S-1',
    detail: 'not there',
    reference: '',
  } as const;
  const verdict = {
    record: 3,
    line: 4,
    claim: 'c',
    unit_kind: 'solar',
    serials: 2,
    decision: 'held',
    certificates: 0,
    entitlement: 'eligible',
    unrounded: '45.606',
    rule_set: 'r',
    findings: [
      finding,
      { ...finding, subject: 'S-2' },
      { ...finding, code: 'serial_already_claimed', subject: '', reference: 'other' },
    ],
  } as const;
  expect(csvRow(verdict)).toBe(
    '3,4,c,solar,2,held,0,45.606,serial_not_found;serial_already_claimed,ask serial_not_found (S-1): not there; ask serial_not_found (S-2): not there; ask serial_already_claimed: not there,other',
  );
});
