import { describe, expect, it } from 'vitest';
import { blankLinesMax } from '#gateway/csv/blank-lines.ts';
import { isRefusal, type Refusal } from '#gateway/refusal.ts';
import type { Contents } from '#gateway/submissions/collect.ts';
import { inverterRegistration, panelRegistration } from '#gateway/submissions/documents.ts';
import { readFile } from '#gateway/submissions/read-file.ts';
import { csvParts } from './csv-parts.ts';
import { lineCharsMax, ndjsonParts } from './ndjson-parts.ts';
import type { Part, PartOptions } from './parts.ts';

const sender = { supplier: 'A', mayUploadFor: () => true };
const collecting = () => ({ partitions: 6, sender });
const defaults: PartOptions = { document: panelRegistration, fromRow: 1, collecting, rowsMax: 10 };

const headings = 'Supplier name,Licensee/Certificate holder,Model number,Serial number';
const serials = (count: number, first = 1) => Array.from({ length: count }, (_, i) => `S${first + i}`);
const csvOf = (names: readonly string[], end = '\n') =>
  [headings, ...names.map((serial) => `A,H,M,${serial}`)].map((line) => line + end).join('');
const jsonOf = (serial: string, more = {}) =>
  JSON.stringify({
    supplier_name: 'A',
    licensee_certificate_holder: 'H',
    model_number: 'M',
    serial_number: serial,
    ...more,
  });

async function* pieces(text: string | Buffer, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(
  how: typeof csvParts,
  text: string | Buffer,
  options: Partial<PartOptions> = {},
  size = 65_536,
): Promise<{ parts: Part[]; refusal: Refusal | undefined }> {
  const parts: Part[] = [];
  for await (const next of how(pieces(text, size), { ...defaults, ...options })) {
    if (isRefusal(next)) return { parts, refusal: next };
    parts.push(next);
  }
  return { parts, refusal: undefined };
}

const contentsOf = (part: Part) => part.contents() as Contents;
const places = ({ firstRow, rows, firstLine, lastLine, bodySha256 }: Part) =>
  [firstRow, rows, firstLine, lastLine, bodySha256] as const;

describe('a CSV stream', () => {
  it('is cut into parts of so many rows, each a file of its own', async () => {
    const { parts, refusal } = await read(csvParts, csvOf(serials(25)));
    expect(refusal).toBeUndefined();
    expect(parts.map((part) => places(part).slice(0, 4))).toEqual([
      [1, 10, 2, 11],
      [11, 10, 12, 21],
      [21, 5, 22, 26],
    ]);
    for (const part of parts) {
      const file = await readFile(part.body, panelRegistration, { partitions: 6, sender });
      if (isRefusal(file)) throw new Error(file.refused);
      const { rows, records, batches, findings } = contentsOf(part);
      expect({ rows, records, batches, findings }).toEqual({
        rows: file.rows,
        records: file.records,
        batches: file.batches,
        findings: file.findings,
      });
    }
  });

  it('however it comes, its parts are the same; so are those of whoever begins at a part', async () => {
    const rows = serials(57).map((serial, i) => (i % 7 === 0 ? `${serial}\r\n\r\n , \r` : serial));
    const odd = `sep=;\n${[headings, ...rows.map((serial) => `"A ""x""\n1","H\r\nß😀",M,${serial}`)]
      .map((line) => `${line.replaceAll(',', ';')}\r\n`)
      .join('')}`;
    const whole = (await read(csvParts, odd)).parts.map(places);
    expect(whole).toHaveLength(6);
    for (const size of [1, 7, 1_000])
      expect((await read(csvParts, odd, {}, size)).parts.map(places)).toEqual(whole);

    const lines = csvOf(serials(57)).split('\n');
    const rest = [lines[0], ...lines.slice(21)].join('\n');
    const [all, resumed] = [
      (await read(csvParts, csvOf(serials(57)))).parts,
      (await read(csvParts, rest, { fromRow: 21 })).parts,
    ];
    const same = ({ firstRow, rows, bodySha256 }: Part) => [firstRow, rows, bodySha256];
    expect(resumed.map(same)).toEqual(all.slice(2).map(same));
    expect(resumed.map((part) => contentsOf(part).records)).toEqual(
      all.slice(2).map((part) => contentsOf(part).records),
    );
  });

  it('is also cut where a part would hold too many characters', async () => {
    const charsMax = csvOf(serials(3)).length - headings.length;
    const { parts } = await read(csvParts, csvOf(serials(10)), { charsMax });
    expect(parts.map(({ rows }) => rows)).toEqual([3, 3, 3, 1]);
  });

  it.each([
    ['headings', csvOf(serials(3)).replace('Model number', 'Modell'), 'headings_missing', { line: 1 }],
    [
      'quotation marks',
      csvOf(['S1', ...serials(20), '"x" y']),
      'quotes_broken',
      { row: 22, line: 23, column: 4 },
    ],
    ['an endless row', csvOf([...serials(12), 'x'.repeat(40_000)]), 'record_too_long', { row: 13, line: 14 }],
    [
      'an endless cell',
      csvOf([...serials(12), `"${'x\n'.repeat(40_000)}`]),
      'quotes_broken',
      { row: 13, line: 14 },
    ],
    ['nothing at all', '', 'file_empty', undefined],
  ])('ends where it can not be read on: %s', async (_, text, code, facts) => {
    const { parts, refusal } = await read(csvParts, text);
    expect(refusal).toMatchObject({ refused: code, ...(facts ? { facts } : {}) });
    const before = (refusal!.facts?.row as number | undefined) ?? 1;
    expect(parts.length).toBe(Math.floor((before - 1) / 10));
  });

  it('ends where its bytes are no text', async () => {
    const bytes = Buffer.concat([Buffer.from(csvOf(serials(4_000))), Buffer.from([0xff]), Buffer.from('x')]);
    const { parts, refusal } = await read(csvParts, bytes, { rowsMax: 1_000 }, 10_000);
    expect(refusal).toMatchObject({ refused: 'file_encoding_unknown', facts: { line: 4_002 } });
    expect(parts).toHaveLength(3);
  });

  it('without rows has no parts, and is not refused for it here', async () => {
    expect(await read(csvParts, csvOf([]))).toEqual({ parts: [], refusal: undefined });
  });

  it('lines without text are not kept, however many there are', async () => {
    const blank = '\n'.repeat(200_000);
    const { parts } = await read(csvParts, `${csvOf(serials(2))}${blank}A,H,M,S3\n`);
    expect(parts.map((part) => part.body.toString())).toEqual([csvOf(serials(3))]);
    expect([parts[0]!.firstLine, parts[0]!.lastLine]).toEqual([2, 200_004]);
  });
});

it.each([
  ['CSV', csvParts, `${csvOf(serials(1))}${'\n'.repeat(blankLinesMax + 300)}`],
  ['JSON lines', ndjsonParts, `${jsonOf('S')}\n${'\n'.repeat(blankLinesMax + 300)}`],
])('a stream of almost nothing but blank lines ends: %s', async (_, how, text) => {
  const { parts, refusal } = await read(how, text);
  expect(parts).toEqual([]);
  expect(refusal).toMatchObject({ refused: 'blank_lines_too_many', facts: { row: 2, limit: blankLinesMax } });
});

describe('a stream of JSON lines', () => {
  const text = `${serials(25)
    .map((serial) => jsonOf(serial))
    .join('\n')}\n`;

  it('is cut into parts of so many rows, however it comes', async () => {
    const { parts, refusal } = await read(ndjsonParts, text);
    expect(refusal).toBeUndefined();
    expect(parts.map((part) => places(part).slice(0, 4))).toEqual([
      [1, 10, 1, 10],
      [11, 10, 11, 20],
      [21, 5, 21, 25],
    ]);
    expect(parts.map((part) => part.body.toString()).join('')).toBe(text);
    for (const size of [1, 7, 1_000])
      expect((await read(ndjsonParts, text, {}, size)).parts.map(places)).toEqual(parts.map(places));
    expect(contentsOf(parts[1]!).records[0]).toMatchObject({ row: 1, line: 1, serial: 'S11', model: 'M' });
  });

  it.each([
    ['text that is no JSON', 'A,H,M,S', 'line_not_json', ''],
    ['a list', '["A","H","M","S"]', 'line_not_json', ''],
    ['half an object', '{"supplier_name":"A"', 'line_not_json', ''],
    [
      'a number',
      jsonOf('S', { serial_number: 12_345_678_901_234_567_890n.toString() }).replace(/"(\d+)"/, '$1'),
      'member_not_text',
      'Serial number',
    ],
    ['nothing', jsonOf('S', { model_number: null }), 'member_not_text', 'Model number'],
    ['a member of another name', jsonOf('S', { serial: 'S' }), 'member_unknown', ''],
    [
      'a member that lacks',
      '{"supplier_name":"A","licensee_certificate_holder":"H","serial_number":"S"}',
      'cell_empty',
      'Model number',
    ],
  ])('a line with a fault is an outcome of its own: %s', async (_, line, finding, column) => {
    const { parts } = await read(ndjsonParts, `${jsonOf('S1')}\n${line}\n${jsonOf('S3')}`);
    expect(contentsOf(parts[0]!).records.map((record) => [record.finding, record.column])).toEqual([
      ['', ''],
      [finding, column],
      ['', ''],
    ]);
    expect(parts[0]!.body.toString()).toContain(line);
  });

  it('ends where a line has no end', async () => {
    const endless = `${text}{"x":"${'y'.repeat(2 * lineCharsMax)}`;
    const { parts, refusal } = await read(ndjsonParts, endless);
    expect(refusal).toMatchObject({ refused: 'record_too_long', facts: { line: 26, row: 26 } });
    expect(parts).toHaveLength(2);
  });

  it('of inverters has the names of its own kind', async () => {
    const line = '{"manufacturer":"H","model":"M","series":"X","serial_number":"S1"}';
    const { parts } = await read(ndjsonParts, line, { document: inverterRegistration });
    expect(contentsOf(parts[0]!).records[0]).toMatchObject({ holder: 'H', series: 'X', finding: '' });
  });
});
