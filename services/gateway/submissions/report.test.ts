import { expect, test } from 'vitest';
import { ListIndex } from '#shared/domain/listing/list-index.ts';
import { accountOf } from '#test/support/accounts.ts';
import { type LedgerRow, type ReportOf, type ReportRow, reportRows } from './report.ts';
import { csvReport } from './report-text.ts';

const acme = accountOf('acme', 'supplier');

function ledgerRow(row: number, more: Partial<LedgerRow>): LedgerRow {
  return {
    row,
    line: row + 1,
    outcome: 'malformed',
    finding: '',
    column: '',
    listing_note: '',
    decision_note: '',
    product: 'panel',
    supplier: 'A',
    holder: 'Sun GmbH',
    series: '',
    model: 'M-100',
    serial: 'S1',
    status: '',
    reason: '',
    serial_key: 'S1',
    holder_key: 'SUN GMBH',
    note: '',
    snapshot: 'panel-2026-04-23-0123456789ab',
    ...more,
  };
}

const listed = {
  holder: 'Sun GmbH',
  model: 'M-100 (II)',
  brand: '',
  series: '',
  approved: '2024-01-01',
  expires: '2030-01-01',
  current: true,
  nominalKwh: '',
  usableKwh: '',
  acPowerKw: '',
};

async function report(
  rows: readonly LedgerRow[],
  list?: ListIndex,
  of: ReportOf = { action: 'register', viewer: acme },
): Promise<readonly ReportRow[]> {
  let asked = 0;
  const ports = {
    entries: async () => [],
    list: async () => {
      asked += 1;
      return list;
    },
  };
  const all: ReportRow[] = [];
  for await (const block of reportRows(
    (async function* () {
      yield rows;
    })(),
    of,
    ports,
  ))
    all.push(...block);
  expect(asked).toBe(rows.some(({ outcome }) => outcome === 'not_listed') ? 1 : 0);
  return all;
}

test('a model that is not listed comes with what may have been meant, and the list on which it is not (C7); nothing else does', async () => {
  const rows = [
    ledgerRow(1, { outcome: 'not_listed' }),
    ledgerRow(2, { outcome: 'not_listed' }),
    ledgerRow(3, { outcome: 'not_listed', model: 'ZZ-9' }),
    ledgerRow(4, { finding: 'cell_empty', column: 'Serial number', serial: '' }),
  ];
  const nearest = [{ holder: 'Sun GmbH', model: 'M-100 (II)' }];
  const found = await report(rows, new ListIndex([listed]));
  expect(found.map((row) => row.nearest)).toEqual([nearest, nearest, undefined, undefined]);
  expect(found[0]).toMatchObject({ column: 'Model number', value: 'M-100', code: 'not_listed' });
  expect((await report(rows)).map((row) => row.nearest)).toEqual(new Array(4).fill(undefined));
  const snapshot = 'panel-2026-04-23-0123456789ab';
  expect(found.map((row) => row.snapshot)).toEqual([snapshot, snapshot, snapshot, undefined]);
});

test('remarks: of a registered row the first is its code, of others they stand beside it', async () => {
  const [registered, malformed] = await report([
    ledgerRow(1, {
      outcome: 'registered',
      note: 'serial_look_alike wrapper_removed',
      listing_note: 'listing_expired',
    }),
    ledgerRow(2, { finding: 'cell_is_formula', column: 'Model number', note: 'wrapper_removed' }),
  ]);
  expect(registered).toMatchObject({
    code: 'serial_look_alike',
    column: 'Serial number',
    value: 'S1',
    remarks: ['serial_look_alike', 'wrapper_removed', 'listing_expired'],
  });
  expect(malformed).toMatchObject({
    code: 'cell_is_formula',
    column: 'Model number',
    remarks: ['wrapper_removed'],
  });
});

test('a text that came in an upload is no formula in the table of the report', async () => {
  const rows = await report([
    ledgerRow(1, {
      finding: 'cell_is_formula',
      column: 'Serial number',
      serial: '=HYPERLINK("x")',
      holder: '@sum',
    }),
  ]);
  let text = '';
  for await (const block of csvReport(
    (async function* () {
      yield rows;
    })(),
  ))
    text += block;
  expect(text).toContain(`"'=HYPERLINK(""x"")"`);
  expect(text).not.toMatch(/(^|,)"?[=+@-]/m);
});

test('a change is reported with what was asked for: its note is a text, and no remark', async () => {
  const asked = { reason: 'other', note: 'serial_look_alike' };
  const rows = [
    ledgerRow(1, { outcome: 'already_invalid', ...asked }),
    ledgerRow(2, { finding: 'note_missing', column: 'Note', reason: 'Other' }),
  ];
  const of = { action: 'invalidate', viewer: acme };
  expect(await report(rows, undefined, of)).toMatchObject([
    { code: 'already_invalid', remarks: [], change: { status: '', ...asked }, column: 'Serial number' },
    { code: 'note_missing', column: 'Note', value: '', change: { reason: 'Other', note: '' } },
  ]);
  const [registration] = await report([ledgerRow(1, { outcome: 'duplicate', ...asked })]);
  expect(registration).not.toHaveProperty('change');
});

test('that a serial is another supplier’s is told to the regulator alone', async () => {
  const rows = [ledgerRow(1, { outcome: 'not_yours' }), ledgerRow(2, { outcome: 'not_found' })];
  const read = async (viewer: typeof acme) =>
    (await report(rows, undefined, { action: 'invalidate', viewer })).map(
      ({ record: _, line: __, ...row }) => row,
    );
  const [theirs, nobodys] = await read(acme);
  expect(theirs).toEqual(nobodys);
  expect((await read(accountOf('cer', 'regulator'))).map(({ code }) => code)).toEqual([
    'not_yours',
    'not_found',
  ]);
});
