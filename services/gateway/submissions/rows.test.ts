import { expect, test } from 'vitest';
import { type Authority, authorityTest } from '#gateway/accounts/authority.ts';
import { readHeadings } from '#gateway/csv/headings.ts';
import { isRefusal } from '#gateway/refusal.ts';
import { catalogue } from '#test/support/catalogue.ts';
import {
  type DocumentKind,
  documentOf,
  inverterRegistration,
  panelRegistration,
  statusUpdates,
} from './documents.ts';
import { RowReader } from './rows.ts';

const granted = (of: Pick<Authority, 'supplier' | 'holder' | 'models'>): Authority => ({
  id: 'g',
  grantedAt: 1,
  grantedBy: 'user:r',
  ...of,
});

const authorities = [granted({ supplier: 'Acme', holder: 'Sun', models: ['S-1', 'S-2'] })];

function recordOf(document: DocumentKind, row: readonly string[], supplier = 'Acme') {
  const headings = readHeadings(
    document.layout.map(({ heading }) => heading),
    document.layout,
    1,
  );
  if (isRefusal(headings)) throw new Error(headings.refused);
  const sender = { supplier, mayUploadFor: authorityTest(authorities, '2026-11-24') };
  return new RowReader(document, headings, { sender, catalogue }).read(row, 1, 2).record;
}

function read(document: DocumentKind, row: readonly string[], supplier = 'Acme') {
  const { finding, column } = recordOf(document, row, supplier);
  return [finding, column];
}

// SUP-2, C6, C8: the cell that is outside is the one that is named.
test.each([
  ['within', ['Acme', 'Sun', 'S-1', '1'], '', ''],
  ['within, otherwise written', [' ACME', 'sun ', 's-2', '1'], '', ''],
  ['supplier', ['Other', 'Sun', 'S-1', '1'], 'supplier_not_authorised', 'Supplier name'],
  ['holder', ['Acme', 'Moon', 'S-1', '1'], 'supplier_not_authorised', 'Licensee/Certificate holder'],
  ['model', ['Acme', 'Sun', 'S-3', '1'], 'supplier_not_authorised', 'Model number'],
  ['a cell that is wrong comes first', ['Other', 'Moon', '', '1'], 'cell_empty', 'Model number'],
])('panels, %s: %o', (_, row, finding, column) => {
  expect(read(panelRegistration, row)).toEqual([finding, column]);
});

test.each([
  ['within', ['Sun', 'S-1', 'NA', '1'], 'Acme', '', ''],
  ['manufacturer', ['Moon', 'S-1', 'NA', '1'], 'Acme', 'supplier_not_authorised', 'Manufacturer'],
  ['model', ['Sun', 'S-3', 'NA', '1'], 'Acme', 'supplier_not_authorised', 'Model'],
  ['a supplier that no cell names', ['Sun', 'S-1', 'NA', '1'], 'Verifier', 'supplier_not_authorised', ''],
])('inverters, %s: %o for %s', (_, row, supplier, finding, column) => {
  expect(read(inverterRegistration, row, supplier)).toEqual([finding, column]);
});

const invalidation = documentOf('panel', 'invalidate')!;
const statusUpdate = statusUpdates.find(({ product }) => product === 'inverter')!;
const serial = ['Acme', 'Sun', 'S-1', 'N1'];
const long = 'x'.repeat(501);

// INV-2: what passes, and what nearly passes.
test.each([
  ['a reason by its label', ['Model number is wrong', ''], '', ''],
  ['by its id', ['model_wrong', ''], '', ''],
  ['otherwise written', [' MODEL  NUMBER is wrong ', ''], '', ''],
  ['with a note as well', ['model_wrong', 'the label says S-2'], '', ''],
  ['the longest note', ['Other', 'x'.repeat(500)], '', ''],
  ['Other with its text', ['Other', 'stolen'], '', ''],
  ['Other without', ['Other', ''], 'note_missing', 'Note'],
  ['Other with a blank one', ['other', ' \u00a0'], 'note_missing', 'Note'],
  ['no reason', ['', 'a note'], 'cell_empty', 'Reason'],
  ['a reason that there is not', ['Mistake', 'a note'], 'reason_unknown', 'Reason'],
  ['a reason for another change', ['Reported stolen', ''], 'reason_unknown', 'Reason'],
  ['a note of two lines', ['Other', 'one\ntwo'], 'cell_has_control_character', 'Note'],
  ['a note that is too long', ['Other', long], 'note_too_long', 'Note'],
])('marking as invalid, %s', (_, change, finding, column) => {
  expect(read(invalidation, [...serial, ...change])).toEqual([finding, column]);
});

test('the reason stands in the record by its id, the note as given, and remarks do not come between', () => {
  const row = ['Acme', 'Sun', 'S-1', "'N1", ' Model number is WRONG', ' see the label '];
  expect(recordOf(invalidation, row)).toMatchObject({
    serial_key: 'N1',
    status: '',
    reason: 'model_wrong',
    note: ' see the label ',
    finding: '',
  });
});

test('a row that names no reason of the catalogue keeps what it says', () => {
  expect(recordOf(invalidation, [...serial, 'Mistake', 'x'])).toMatchObject({ reason: 'Mistake', note: 'x' });
});

test('what is wrong with the change comes before what the account may do', () => {
  expect(read(invalidation, ['Other', 'Sun', 'S-1', 'N1', 'Mistake', ''])).toEqual([
    'reason_unknown',
    'Reason',
  ]);
  expect(read(invalidation, ['Other', 'Sun', 'S-1', 'N1', 'model_wrong', ''])).toEqual([
    'supplier_not_authorised',
    'Supplier name',
  ]);
});

// INVR-2
const inverter = ['Sun', 'S-1', 'NA', 'N1'];
test.each([
  ['a status and its reason', ['Missing', 'Reported stolen', ''], '', ''],
  ['by their ids', ['missing', 'theft', ''], '', ''],
  ['no status', ['', 'theft', ''], 'cell_empty', 'Status'],
  ['a status that there is not', ['Stolen', 'theft', ''], 'status_unknown', 'Status'],
  ['a reason that there is not', ['missing', 'stolen', ''], 'reason_unknown', 'Reason'],
  ['the reason of another status', ['missing', 'failed', ''], 'reason_not_for_status', 'Reason'],
  ['Other without its text', ['missing', 'other', ' '], 'note_missing', 'Note'],
  ['Other with it', ['missing', 'other', 'gone'], '', ''],
])('status, %s', (_, change, finding, column) => {
  expect(read(statusUpdate, [...inverter, ...change])).toEqual([finding, column]);
});

test('a change of status has both in the record, by their ids', () => {
  expect(recordOf(statusUpdate, [...inverter, 'MISSING', 'reported stolen', ''])).toMatchObject({
    holder: 'Sun',
    series: 'NA',
    status: 'missing',
    reason: 'theft',
    note: '',
  });
});
