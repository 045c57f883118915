import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readClaimFile } from '#gateway/claims/claim-file.ts';
import { claimCsv } from '#test/support/claim-csv.ts';
import { batteryFacts, equipment, solarFacts, windFacts } from '#test/support/claims.ts';
import { serialKeysOf } from './asked.ts';
import { claimRows } from './claim-rows.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'claim-rows-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function read(text: string | Buffer) {
  const file = path.join(folder, 'claims.csv');
  writeFileSync(file, text);
  const rows = [];
  for await (const some of claimRows(file)) rows.push(...some);
  return rows;
}

const claims = [
  solarFacts(),
  windFacts({ address: 'Line\nbreak, "quoted"' }),
  batteryFacts({ compliance_on: '2026-03-02', verified: true, spv_package: 'p.xml' }),
  solarFacts({
    credits: {
      ...solarFacts().credits,
      requested: 'yes',
      unit_programmes: 'none',
      premises_programmes: 'SHCP PVRP',
    },
  }),
];

test('a stream of rows is read as the bulk file is', async () => {
  const text = `${claimCsv(claims)}nonsense,1\r\n`;
  const whole = await readClaimFile(Buffer.from(text));
  expect((await read(text)).map((row) => row.read())).toEqual(whole);
  expect(whole).toHaveLength(5);
});

test('more rows than a bulk file may have, of any length, in pieces', async () => {
  const long = solarFacts({
    equipment: [
      equipment(
        'panel',
        Array.from({ length: 900 }, (_, i) => `${i}`.padStart(90, 'Ä')),
      ),
    ],
  });
  const rows = await read(
    claimCsv(Array.from({ length: 300 }, (_, i) => (i % 100 === 50 ? long : claims[i % 4]!))),
  );
  expect(rows.map(({ record }) => record)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
  expect(rows[150]!.read().claim?.equipment[0]?.serials).toEqual(long.equipment[0]!.serials);
});

test('what is asked of the ledger is at least what the claim names', async () => {
  const [row] = await read(
    claimCsv([
      solarFacts({ equipment: [equipment('panel', [' a-1', 'A-1', 'b  2']), equipment('inverter', ['i'])] }),
    ]),
  );
  expect(serialKeysOf(row!)).toEqual([
    { product: 'panel', key: 'A-1' },
    { product: 'panel', key: 'A-1' },
    { product: 'panel', key: 'B 2' },
    { product: 'inverter', key: 'I' },
  ]);
});

test.each([
  ['no rows', 'Type of system,Installation date\n', 'file_empty'],
  ['an unknown heading', 'Colour\nred\n', 'headings_missing'],
  ['a broken quotation', 'Type of system,Installation date\n"solar,02/03/2026\n', 'quotes_broken'],
  ['another encoding', Buffer.from([0xff, 0xfe, 0x41, 0x00]), 'file_encoding_unknown'],
])('%s: refused with the reason of the catalogue', async (_, text, code) => {
  await expect(read(text)).rejects.toMatchObject({ code });
});
