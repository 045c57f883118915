import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Turns } from '#gateway/load/turns.ts';
import { isRefusal } from '#gateway/refusal.ts';
import { avroType, releasedVersions } from '#shared/codec/schemas.ts';
import { partitionOf } from '#shared/domain/partition.ts';
import type { SerialRecord } from '#shared/domain/serials.ts';
import { batchBytesMax, batchRowsMax } from './batches.ts';
import { panelRegistration } from './documents.ts';
import { type FileContents, readFile } from './read-file.ts';

const heading = 'Supplier name,Licensee/Certificate holder,Model number,Serial number\n';
const everybody = () => true;

async function accepted(
  text: string,
  partitions = 6,
  mayUploadFor: (key: string) => boolean = everybody,
  turns = new Turns(Date.now),
) {
  const contents = await readFile(Buffer.from(text), panelRegistration, {
    partitions,
    sender: { supplier: 'Acme', mayUploadFor },
    pause: turns.of(text.length),
  });
  expect(contents).not.toHaveProperty('refused');
  return contents as FileContents;
}

function recordsOf(contents: FileContents): SerialRecord[] {
  return contents.batches.flatMap(({ records }) => records).sort((a, b) => a.row - b.row);
}

test('a row becomes a record: texts as given, keys normalised', async () => {
  const [record] = recordsOf(await accepted(`${heading} Acme  Imports ,Sun GmbH,M-1 (II),ab 1\n`));
  expect(record).toEqual({
    row: 1,
    line: 2,
    supplier: ' Acme  Imports ',
    holder: 'Sun GmbH',
    series: '',
    model: 'M-1 (II)',
    serial: 'ab 1',
    supplier_key: 'ACME IMPORTS',
    holder_key: 'SUN GMBH',
    serial_key: 'AB 1',
    status: '',
    reason: '',
    note: '',
    finding: '',
    column: '',
  });
});

// In the order in which they are looked for: a row with several faults shows the first.
test.each([
  ['A,H,M', 'cell_count_wrong', ''],
  ['A,H,M,S1,extra', 'cell_count_wrong', ''],
  [',H,M,S1', 'cell_empty', 'Supplier name'],
  ['A, ,,S;1', 'cell_empty', 'Licensee/Certificate holder'],
  ['A,H,"",S1', 'cell_empty', 'Model number'],
  ['A,H,M,', 'cell_empty', 'Serial number'],
  [`A,H,M,${'9'.repeat(101)}`, 'cell_too_long', 'Serial number'],
  [`A,${'é'.repeat(101)},M,S1`, 'cell_too_long', 'Licensee/Certificate holder'],
  ['A,H,M,S\u00001', 'cell_has_control_character', 'Serial number'],
  ['A,H,"M\n1",S1', 'cell_has_control_character', 'Model number'],
  ['A,H,M,S\u200b1', 'cell_has_control_character', 'Serial number'],
  ['A,H,M,S1;S2', 'serial_has_separator', 'Serial number'],
  ['Stranger,H,M,S1', 'supplier_not_authorised', 'Supplier name'],
])('%j: %s', async (row, finding, column) => {
  const contents = await accepted(`${heading}${row}\n`, 6, (key) => key === 'A');
  expect(recordsOf(contents)).toMatchObject([{ finding, column }]);
  expect(contents.findings.get(finding)).toBe(1);
});

test.each([
  'A,H,M,S1',
  'A,H,M,S1,, ',
  `A,H,M,${'9'.repeat(100)}`,
  `A,H,M,${'😀'.repeat(100)}`,
  'A,H,M; II,S1',
  'A,H,M,"S1\t"',
  'A,H,M,S\u00a01',
])('%j is in order', async (row) => {
  expect(recordsOf(await accepted(`${heading}${row}\n`))).toMatchObject([{ finding: '' }]);
});

const told = { encoding: 'UTF-8', delimiter: 'comma' };

test.each([
  ['semicolons', (text: string) => Buffer.from(text.replaceAll(',', ';')), { delimiter: 'semicolon' }],
  ['tabs', (text: string) => Buffer.from(text.replaceAll(',', '\t')), { delimiter: 'tab' }],
  ['CR', (text: string) => Buffer.from(text.replaceAll('\n', '\r')), {}],
  ['CR LF', (text: string) => Buffer.from(text.replaceAll('\n', '\r\n')), {}],
  ['UTF-16', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le'), { encoding: 'UTF-16LE' }],
  [
    'UTF-16, the other way round',
    (text: string) => Buffer.from(text, 'utf16le').swap16(),
    { encoding: 'UTF-16BE' },
  ],
  ['two marks', (text: string) => Buffer.from(`\ufeff\ufeff${text}`), {}],
])('the same rows with %s are the same records', async (_, write, other) => {
  const text = `${heading}A,Sonnenhof 7°,M-1,S1\n\nA,"H\n2",M-1,S2\nA,H,M-1,\n`;
  const given = await accepted(text);
  const contents = await readFile(write(text), panelRegistration, {
    partitions: 6,
    sender: { supplier: 'Acme', mayUploadFor: everybody },
  });
  const unquoted = (batches: FileContents['batches']) =>
    JSON.stringify(batches).replaceAll(/\\r\\n|\\r/g, '\\n');
  expect(unquoted((contents as FileContents).batches)).toBe(unquoted(given.batches));
  expect(contents).toMatchObject({ ...told, ...other });
});

test('a file that does not say its encoding: names are remarked, serials refused', async () => {
  const bytes = Buffer.from(`${heading}A,H\xe9,M-1,S1\nA,H,M-1,S\xe91\nA,H,M-1,S\xa02\n`, 'latin1');
  const contents = await readFile(bytes, panelRegistration, {
    partitions: 6,
    sender: { supplier: 'Acme', mayUploadFor: everybody },
  });
  expect(contents).toMatchObject({ encoding: 'Windows-1252' });
  expect(recordsOf(contents as FileContents)).toMatchObject([
    { holder: 'Hé', finding: '', note: 'decoded_as_windows_1252' },
    { serial_key: '', finding: 'serial_encoding_uncertain', column: 'Serial number' },
    { serial_key: 'S 2', finding: '', note: 'special_space_folded' },
  ]);
});

test('what is taken off a cell, and what is remarked, stands in the note of its record', async () => {
  const contents = await accepted(`${heading}"=""A""" ,H,'M-1,="00aB1"\n`);
  expect(recordsOf(contents)).toMatchObject([
    {
      supplier: 'A',
      model: 'M-1',
      serial: '00aB1',
      serial_key: '00AB1',
      finding: '',
      note: 'wrapper_removed serial_has_mixed_case',
    },
  ]);
});

test('a row without a usable serial travels with the others, to the partition of the empty key', async () => {
  const { batches } = await accepted(`${heading}A,H,M,\nA,H,M,;\nA,H,,S1\n`, 12);
  const places = batches.flatMap(({ partition, records }) =>
    records.map(({ row, serial_key }) => [row, serial_key, partition]),
  );
  const empty = partitionOf('panel', '', 12);
  expect(places).toEqual(
    expect.arrayContaining([
      [1, '', empty],
      [2, '', empty],
      [3, 'S1', partitionOf('panel', 'S1', 12)],
    ]),
  );
});

const cell = fc.oneof(
  fc.constantFrom('Acme', 'acme ', 'Sun (Holding) GmbH', 'M-1', ''),
  fc.stringMatching(/^[ -~]{0,20}$/),
  fc.string({
    unit: fc.constantFrom('A', '7', 'é', '"', ',', ';', '\n', '\r\n', '\u200b', '\0'),
    maxLength: 120,
  }),
);
const table = fc.array(fc.array(cell, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 60 });

function csv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(',')).join('\r\n');
}

test('each record of an accepted file stands in exactly one batch, once, in file order, in the partition of its serial', async () => {
  await fc.assert(
    fc.asyncProperty(table, fc.integer({ min: 1, max: 12 }), async (rows, partitions) => {
      const contents = await readFile(Buffer.from(heading + csv(rows)), panelRegistration, {
        partitions,
        sender: { supplier: 'Acme', mayUploadFor: (key) => key === 'ACME' },
        damageShareMax: 1,
      });
      const data = rows.filter((row) => row.some((text) => text.trim() !== ''));
      if (isRefusal(contents)) {
        expect([contents.refused, data.length]).toEqual(['file_empty', 0]);
        return;
      }
      expect(contents.rows).toBe(data.length);
      expect(recordsOf(contents).map(({ row }) => row)).toEqual(data.map((_, i) => i + 1));
      expect([...contents.findings.values()].reduce((a, b) => a + b, 0)).toBe(data.length);
      expect(contents.batches.map(({ number }) => number)).toEqual(contents.batches.map((_, i) => i));
      for (const { partition, records } of contents.batches) {
        expect(records.map(({ row }) => row)).toEqual(records.map(({ row }) => row).sort((a, b) => a - b));
        for (const { serial_key } of records)
          expect(partition).toBe(partitionOf('panel', serial_key, partitions));
      }
    }),
    { numRuns: 60 },
  );
});

test('what an account may do changes findings, never batches', async () => {
  await fc.assert(
    fc.asyncProperty(table, async (rows) => {
      const bytes = Buffer.from(`${heading}A,H,M,S\n${csv(rows)}`);
      const [all, none] = await Promise.all(
        [true, false].map((allowed) =>
          readFile(bytes, panelRegistration, {
            partitions: 6,
            sender: { supplier: 'Acme', mayUploadFor: () => allowed },
            damageShareMax: 1,
          }),
        ),
      );
      const shape = (contents: FileContents) =>
        contents.batches.map(({ number, partition, records }) => [
          number,
          partition,
          records.map(({ row }) => row),
        ]);
      expect(shape(none as FileContents)).toEqual(shape(all as FileContents));
    }),
    { numRuns: 60 },
  );
});

test('batches hold at most 500 rows and 256 KiB as encoded', async () => {
  const type = avroType(releasedVersions('SerialBatch').at(-1)!.schema);
  const wide = '貿'.repeat(100);
  let text = heading;
  for (let i = 0; i < 4_000; i++)
    text += i % 2 ? `A,H,M,S${i}\n` : `${wide},${wide},${wide},${i}${wide.slice(6)}\n`;
  const { batches } = await accepted(text, 2);
  let fullest = 0;
  let largest = 0;
  for (const { records } of batches) {
    const header = { submission: 'x'.repeat(36), batch: 0, account: wide, supplier: wide, channel: 'csv' };
    const bytes = type.toBuffer({
      ...header,
      product: 'panel',
      action: 'register',
      received_at: 1e12,
      records,
    }).length;
    fullest = Math.max(fullest, records.length);
    largest = Math.max(largest, bytes);
  }
  expect(largest).toBeLessThanOrEqual(batchBytesMax);
  expect(largest).toBeGreaterThan(batchBytesMax * 0.75);

  const narrow = await accepted(
    heading + Array.from({ length: 4_000 }, (_, i) => `A,H,M,S${i}\n`).join(''),
    2,
  );
  fullest = Math.max(...narrow.batches.map(({ records }) => records.length));
  expect(fullest).toBe(batchRowsMax);
});

test('files are refused whole, with limit and count', async () => {
  const refused = (text: string) =>
    readFile(Buffer.from(text), panelRegistration, {
      partitions: 6,
      sender: { supplier: 'Acme', mayUploadFor: everybody },
    });
  const row = (i: number) => `A,H,M,S${i}\n`;
  const rows = (count: number) => heading + Array.from({ length: count }, (_, i) => row(i)).join('');
  expect((await accepted(`${rows(5_000)}\n\n,,,\n`)).rows).toBe(5_000);
  expect(await refused(rows(5_001))).toMatchObject({
    refused: 'too_many_rows',
    facts: { limit: 5_000, count: 5_001 },
  });
  expect(await refused('')).toMatchObject({ refused: 'file_empty' });
  expect(await refused(`\ufeff\n\n${heading}\n,,,\n`)).toMatchObject({ refused: 'file_empty' });
  expect(await refused(heading.replaceAll(',', '|'))).toMatchObject({ refused: 'headings_missing' });
});

test('others are served between slices of a file, also when eight files came at once', async () => {
  const text = heading + Array.from({ length: 3_000 }, (_, i) => `Acme,Sun GmbH,M-1,S${i}\n`).join('');
  let turn = 0;
  let immediate = setImmediate(function next() {
    turn += 1;
    immediate = setImmediate(next);
  });
  const rowsOfTurn = new Map<number, number>();
  const seen = () => {
    rowsOfTurn.set(turn, (rowsOfTurn.get(turn) ?? 0) + 1);
    return true;
  };
  const turns = new Turns(Date.now);
  const files = await Promise.all(Array.from({ length: 8 }, () => accepted(text, 6, seen, turns)));
  clearImmediate(immediate);
  expect(files.map(({ rows }) => rows)).toEqual(new Array(8).fill(3_000));
  expect([...rowsOfTurn.values()].reduce((sum, rows) => sum + rows, 0)).toBe(24_000);
  expect(Math.max(...rowsOfTurn.values())).toBeLessThan(1_500);
});
