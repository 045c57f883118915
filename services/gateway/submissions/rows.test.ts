import { expect, test } from 'vitest';
import { type Authority, authorityTest } from '#gateway/accounts/authority.ts';
import { readHeadings } from '#gateway/csv/headings.ts';
import { isRefusal } from '#gateway/refusal.ts';
import { type DocumentKind, inverterRegistration, panelRegistration } from './documents.ts';
import { RowReader } from './rows.ts';

const granted = (of: Pick<Authority, 'supplier' | 'holder' | 'models'>): Authority => ({
  id: 'g',
  grantedAt: 1,
  grantedBy: 'user:r',
  ...of,
});

const authorities = [granted({ supplier: 'Acme', holder: 'Sun', models: ['S-1', 'S-2'] })];

function read(document: DocumentKind, row: readonly string[], supplier = 'Acme') {
  const headings = readHeadings(
    document.layout.map(({ heading }) => heading),
    document.layout,
    1,
  );
  if (isRefusal(headings)) throw new Error(headings.refused);
  const sender = { supplier, mayUploadFor: authorityTest(authorities, '2026-11-24') };
  const { finding, column } = new RowReader(document, headings, sender).read(row, 1, 2).record;
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
