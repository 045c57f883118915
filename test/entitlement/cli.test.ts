import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { parseString } from 'fast-csv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { editDistance, readHeading } from '#scripts/entitlements/heading.ts';
import { inputColumns, outputColumns, reasonCatalogue } from '#shared/domain/entitlement/index.ts';

const script = path.resolve(import.meta.dirname, '../../scripts/entitlements.ts');
const golden = path.join(import.meta.dirname, 'golden.csv');

interface Run {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

async function run(args: readonly string[], input: string | Buffer = ''): Promise<Run> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {}); // A run that ends without reading its input closes the pipe: that is not what is tested.
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, status] = await Promise.all([buffer(child.stdout), text(child.stderr), ended]);
  return { status, stdout, stderr };
}

async function rowsOf(csv: string | Buffer): Promise<readonly Readonly<Record<string, string>>[]> {
  const rows: Record<string, string>[] = [];
  const reader = parseString<Record<string, string>, Record<string, string>>(csv.toString('utf8'), {
    headers: true,
  });
  reader.on('data', (row: Record<string, string>) => rows.push(row));
  await finished(reader, { writable: false });
  return rows;
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'entitlements-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Buffer): string {
  const place = path.join(folder, name);
  writeFileSync(place, content);
  return place;
}

describe('npm run entitlements', () => {
  test('answers the examples as they are, their own columns first and untouched', async () => {
    const { status, stdout, stderr } = await run([golden]);
    expect(status).toBe(0);
    expect(stderr).toBe('passed through, not used: expected_stcs, source\n');
    const input = await rowsOf(readFileSync(golden));
    const output = await rowsOf(stdout);
    expect(output.length).toBe(input.length);
    for (const [index, row] of output.entries()) {
      expect(row).toMatchObject(input[index] ?? {});
      expect(row.stcs).toBe(row.expected_stcs);
      expect(row.outcome).toBe('eligible');
    }
    const heading = stdout.toString('utf8').split('\n')[0];
    expect(heading).toBe(`${readFileSync(golden, 'utf8').split('\n')[0]},${outputColumns.join(',')}`);
  });

  test('reads standard input for -', async () => {
    const [fromFile, fromInput] = [await run([golden]), await run(['-'], readFileSync(golden))];
    expect(fromInput.status).toBe(0);
    expect(fromInput.stdout.toString()).toBe(fromFile.stdout.toString());
  });

  test('columns in any order, headings in any case, byte-order mark, CRLF, quoted cells', async () => {
    const csv = '\ufeffKW,"Install Date",Zone,System-Type\r\n"2.5",2009-04-09, 3 ,Solar\r\n';
    const { status, stdout } = await run(['-'], csv);
    expect(status).toBe(0);
    expect(await rowsOf(stdout)).toMatchObject([
      { KW: '2.5', outcome: 'eligible', stcs: '51', unrounded: '51.825' },
    ]);
  });

  test('a bad row is answered and the run goes on', async () => {
    const csv = [
      'system_type,zone,kw,install_date,note',
      'solar,3,2.5,2009-04-09,good',
      'solar,3,abc,2009-04-09,bad kw',
      'solar,3,2.5,2009-04-09', // a cell too few
      'solar,3,2.5,2009-04-09,one,too many',
      'solar,3,"2.5"x,2009-04-09,broken quotation',
      ',,,,',
      '',
      'solar,3,2.5,2009-04-09,"two',
      'lines"',
      'solar,3,101,2009-04-09,ineligible',
      'solar,3,2.5,2009-04-09,"never closed',
      'solar,3,2.5,2009-04-09,last',
    ].join('\n');
    const { status, stdout } = await run(['-'], csv);
    expect(status).toBe(0);
    const rows = await rowsOf(stdout);
    const short = rows.map(({ note, outcome, stcs, reasons }) => [
      note,
      outcome,
      stcs,
      reasons?.split(' ')[0],
    ]);
    expect(short).toEqual([
      ['good', 'eligible', '51', ''],
      ['bad kw', 'invalid', '', 'field_invalid'],
      ['', 'invalid', '', 'row_damaged'],
      ['one', 'invalid', '', 'row_damaged'],
      ['', 'invalid', '', 'row_damaged'],
      ['', 'invalid', '', 'field_missing'],
      ['two\nlines', 'eligible', '51', ''],
      ['ineligible', 'ineligible', '0', 'power_over_threshold'],
      ['', 'invalid', '', 'row_damaged'],
      ['last', 'eligible', '51', ''],
    ]);
    // A line that cannot be taken apart is passed through whole, in the first cell.
    expect(rows[4]?.system_type).toBe('solar,3,"2.5"x,2009-04-09,broken quotation');
  });

  test('bytes pass through as they are, whatever their encoding', async () => {
    const utf8 = Buffer.from('system_type,zone,kw,install_date,owner\nsolar,3,2.5,2009-04-09,Müller 李\n');
    const latin1 = Buffer.from(
      'system_type,zone,kw,install_date,owner\nsolar,3,2.5,2009-04-09,Müller\n',
      'latin1',
    );
    for (const [content, owner] of [
      [utf8, Buffer.from('Müller 李')],
      [latin1, Buffer.from('Müller', 'latin1')],
    ] as const) {
      const { stdout } = await run([file('bytes.csv', content)]);
      expect(
        stdout.includes(Buffer.concat([Buffer.from('2009-04-09,'), owner, Buffer.from(',eligible,51')])),
      ).toBe(true);
    }
  });

  test('the readings of open rules can be chosen', async () => {
    const csv =
      'system_type,kw,install_date,created_on\nwind,5,2007-10-06,2008-10-07\nwind,5,2028-01-01,2029-01-01\n';
    const outcomes = async (...options: readonly string[]) =>
      (await rowsOf((await run([...options, '-'], csv)).stdout)).map(
        ({ outcome, stcs }) => `${outcome} ${stcs}`,
      );
    expect(await outcomes()).toEqual(['eligible 47', 'eligible 28']);
    expect(await outcomes('--october-2007', 'twelve_months')).toEqual(['ineligible 0', 'eligible 28']);
    expect(await outcomes('--anniversary=excluded')).toEqual(['eligible 47', 'ineligible 0']);
    expect(await outcomes('--wind-hydro-periods', 'unshortened')).toEqual(['eligible 47', 'eligible 47']);
  });

  test('--help documents every column, every output and every reason', async () => {
    const { status, stdout } = await run(['--help']);
    expect(status).toBe(0);
    const lines = new Set(
      stdout
        .toString()
        .split('\n')
        .map((line) => line.split(' (')[0]?.trim()),
    );
    for (const name of [...inputColumns, ...outputColumns, ...reasonCatalogue.map(({ code }) => code)]) {
      expect(lines).toContain(name);
    }
  });

  test('a heading alone is a file of no rows', async () => {
    const { status, stdout } = await run(['-'], 'system_type,kw\n');
    expect(status).toBe(0);
    expect(stdout.toString()).toBe(`system_type,kw,${outputColumns.join(',')}\n`);
  });
});

describe('what cannot be run ends with 2, a sentence, and nothing on standard output', () => {
  test.each([
    ['no file', [], '', 'name one CSV file'],
    ['two files', ['a.csv', 'b.csv'], '', 'name one CSV file'],
    ['an unknown option', ['--fast', 'a.csv'], '', '--fast'],
    ['an unknown reading', ['--anniversary', 'maybe', '-'], '', '--anniversary takes included or excluded'],
    ['a file that is not there', ['nowhere.csv'], '', 'there is no such file'],
    ['a folder', [tmpdir()], '', 'is a folder'],
    ['empty input', ['-'], '', 'the input is empty'],
    ['no known heading', ['-'], 'a,b\n1,2\n', 'no heading is known'],
    ['another separator', ['-'], 'system_type;kw\nsolar;1\n', 'separated by commas'],
    ['UTF-16', ['-'], Buffer.from('\ufeffsystem_type,kw\nsolar,1\n', 'utf16le'), 'no heading is known'],
    ['a heading twice', ['-'], 'system_type,kw,KW\nsolar,1,1\n', 'heading kw stands twice'],
    [
      'an output heading',
      ['-'],
      'system_type,stcs\nsolar,1\n',
      'heading stcs is a column that this command writes',
    ],
    ['a misspelt heading', ['-'], 'system_type,instal_date\nsolar,1\n', 'did you mean install_date?'],
    ['no lines', ['-'], 'x'.repeat(300_000), 'is this CSV?'],
  ])('%s', async (_, args, input, sentence) => {
    const { status, stdout, stderr } = await run(args, input);
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split('\n').length).toBe(1);
    expect(stdout.length).toBe(0);
    expect(status).toBe(2);
  });

  test('a reader that goes away', async () => {
    const big = file(
      'big.csv',
      `system_type,zone,kw,install_date\n${'solar,3,2.5,2009-04-09\n'.repeat(20_000)}`,
    );
    const child = spawn(process.execPath, [script, big], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.once('data', () => child.stdout.destroy());
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [stderr, status] = await Promise.all([text(child.stderr), ended]);
    expect(stderr).toContain('went away');
    expect(status).toBe(2);
  });
});

describe('headings', () => {
  test.each([
    ['', 'kw', 2],
    ['zone', 'zone', 0],
    ['zne', 'zone', 1],
    ['instal_date', 'install_date', 1],
    ['kitten', 'sitting', 3],
  ])('from %j to %j: %i slips', (left, right, slips) => {
    expect(editDistance(left, right)).toBe(slips);
    expect(editDistance(right, left)).toBe(slips);
  });

  test('a word like a column that is there is passed through', () => {
    expect(readHeading(['system_type', 'zone', 'zones'])).toMatchObject({
      heading: { columns: ['system_type', 'zone', undefined] },
    });
  });
});

/** Loaded before the command: writes what it used when it ends. */
const measuring = (report: string) => `
  import { writeFileSync } from 'node:fs';
  process.on('exit', () => {
    const used = { peak: process.resourceUsage().maxRSS, cpu: process.cpuUsage() };
    writeFileSync(${JSON.stringify(report)}, JSON.stringify(used));
  });
`;

describe('size', () => {
  test('a file ten times as long takes no more memory', { timeout: 120_000 }, async () => {
    const peaks: number[] = [];
    for (const rows of [10_000, 100_000]) {
      const place = path.join(folder, `${rows}.csv`);
      const writer = createWriteStream(place);
      writer.write('system_type,postcode,kw,install_date,deeming_years,solar_credits\n');
      for (let row = 0; row < rows; row += 1) {
        writer.write(
          `solar,${2000 + (row % 900)},${1 + (row % 90)}.${row % 1000},${2001 + (row % 30)}-07-01,max,yes\n`,
        );
      }
      writer.end();
      await finished(writer);
      const report = path.join(folder, `${rows}.json`);
      const measure = file('measure.mjs', measuring(report));
      const child = spawn(process.execPath, ['--import', measure, script, place], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      let lines = 0;
      for await (const chunk of child.stdout as AsyncIterable<Buffer>)
        for (const byte of chunk) if (byte === 10) lines += 1;
      expect(await ended).toBe(0);
      expect(lines).toBe(rows + 1);
      const { peak, cpu } = JSON.parse(readFileSync(report, 'utf8')) as {
        peak: number;
        cpu: { user: number; system: number };
      };
      peaks.push(peak);
      if (rows === 100_000)
        expect((cpu.user + cpu.system) / 1e6, 'seconds of CPU for 100,000 rows').toBeLessThan(10);
    }
    const [small = 0, large = 0] = peaks;
    expect(large / small, `peak memory ${small} and ${large} KiB`).toBeLessThan(2);
  });
});
