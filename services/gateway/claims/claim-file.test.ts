import { expect, test } from 'vitest';
import { isRefusal } from '#gateway/refusal.ts';
import { claimFileRecordsMax, readClaimFile } from './claim-file.ts';

const headings = 'Type of system,Installation date,Panel serial numbers,Number of panels';
const file = (...rows: readonly string[]) => Buffer.from(`${[headings, ...rows].join('\r\n')}\r\n`);
const row = 'solar,02/03/2026,A-1;A-2,2';

async function read(bytes: Buffer) {
  const records = await readClaimFile(bytes);
  if (isRefusal(records)) throw new Error(records.refused);
  return records;
}

test('each row is a claim or says why not; lines are physical, records are counted', async () => {
  const records = await read(file(row, '', '"solar\n",31/04/2026,,', row, 'solar,02/03/2026'));
  expect(records.map(({ record, line, faults }) => [record, line, faults.map(({ code }) => code)])).toEqual([
    [1, 2, []],
    [2, 4, ['field_invalid']],
    [3, 6, []],
    [4, 7, ['cell_count_wrong']],
  ]);
  expect(records[0]!.claim).toMatchObject({ installed_on: '2026-03-02', panel_count: 2 });
  expect(records[1]!.faults[0]).toMatchObject({ field: 'Installation date' });
  expect(records[1]!.claim).toBeUndefined();
});

test('a cell of a thousand serials of a hundred characters is read (CLM-2)', async () => {
  const serials = Array.from({ length: 1_000 }, (_, i) => `${i}`.padStart(100, 'S'));
  const [record] = await read(file(`solar,02/03/2026,${serials.join(';')},1000`));
  expect(record!.claim?.equipment[0]?.serials).toEqual(serials);
});

test.each([
  ['an empty file', file(), 'file_empty'],
  ['no bytes', Buffer.alloc(0), 'file_empty'],
  [
    'an unknown heading',
    Buffer.from('Type of system,Installation date,Colour\nsolar,02/03/2026,red\n'),
    'headings_unknown',
  ],
  ['a needed heading missing', Buffer.from('Type of system\nsolar\n'), 'headings_missing'],
  ['a heading twice', Buffer.from('Type of system,Installation date,System type\n'), 'headings_repeated'],
  ['an open quotation mark', file('"solar,02/03/2026,,'), 'quotes_broken'],
  ['a workbook', Buffer.from([0x50, 0x4b, 0x03, 0x04]), 'file_not_csv'],
  ['too many claims', file(...Array.from({ length: claimFileRecordsMax + 1 }, () => row)), 'too_many_rows'],
  ['a row of endless text', file(`solar,02/03/2026,${'A;'.repeat(200_000)},2`), 'record_too_long'],
])('%s refuses the whole file', async (_, bytes, refused) => {
  expect(await readClaimFile(bytes)).toMatchObject({ refused });
});

test('the limit itself is taken', async () => {
  const rows = Array.from({ length: claimFileRecordsMax }, () => row);
  expect(await read(file(...rows))).toHaveLength(claimFileRecordsMax);
});
