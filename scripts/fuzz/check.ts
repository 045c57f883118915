import { hash } from 'node:crypto';
import { isRefusal } from '#gateway/refusal.ts';
import { batchRowsMax } from '#gateway/submissions/batches.ts';
import { panelRegistration } from '#gateway/submissions/documents.ts';
import { type FileContents, readFile } from '#gateway/submissions/read-file.ts';
import { partitionOf } from '#shared/domain/partition.ts';
import { findReason } from '#shared/domain/reasons.ts';
import { type PlannedFile, planFile, supplier } from './files.ts';
import { mutated } from './mutate.ts';
import { type Random, randomOf } from './random.ts';
import { referenceOf } from './reference.ts';

/** What became of one file: accepted, or the code of its refusal. */
export interface CaseResult {
  readonly verdict: string;
  readonly rows: number;
  readonly bytes: number;
  readonly ms: number;
}

/** A property does not hold. */
export class Broken extends Error {
  readonly bytes: Buffer;
  constructor(message: string, bytes: Buffer) {
    super(message);
    this.name = 'Broken';
    this.bytes = bytes;
  }
}

const partitions = 6;
/** Far above what any file takes here, far below what a quadratic step would take. */
const msMax = 10_000;
const mayUploadFor = (key: string) => key === supplier.toUpperCase();

/** One case: a file that was written as it should be, or one that something happened to. Throws `Broken`. */
export async function runCase(seed: number, caseNumber: number): Promise<CaseResult> {
  const random = randomOf(seed, caseNumber);
  const planned = planFile(random);
  const whole = random.chance(0.25);
  const { bytes, by } = whole ? { bytes: planned.bytes, by: [] } : mutated(random, planned.bytes);
  const damageShareMax = random.pick([0.2, 1]);
  const require_ = (holds: boolean, what: string) => {
    if (!holds) throw new Broken(by.length === 0 ? what : `${what} (after ${by.join(', ')})`, bytes);
  };

  const began = performance.now();
  const contents = await readFileOr(bytes, damageShareMax, require_);
  const ms = performance.now() - began;
  require_(ms < msMax, `the file took ${Math.round(ms)} ms`);
  if (isRefusal(contents)) {
    require_(
      findReason(contents.refused)?.kind === 'request',
      `refused with ${contents.refused}, which is no reason`,
    );
    if (whole) checkRefusedWhole(planned, contents.refused, damageShareMax, require_);
    return { verdict: contents.refused, rows: 0, bytes: bytes.length, ms };
  }
  checkContents(contents, bytes, require_);
  if (whole) checkPlanned(contents, planned, require_);
  await checkRepeated(contents, bytes, damageShareMax, random, require_);
  return { verdict: 'accepted', rows: contents.rows, bytes: bytes.length, ms };
}

type Require = (holds: boolean, what: string) => void;

async function readFileOr(bytes: Buffer, damageShareMax: number, require_: Require) {
  try {
    return await readFile(bytes, panelRegistration, {
      partitions,
      sender: { supplier, mayUploadFor },
      damageShareMax,
    });
  } catch (error) {
    require_(false, `reading threw ${(error as Error).stack}`);
    throw error;
  }
}

/** Every record has one place and one finding, and stands on its line; as many as the reference counts. */
function checkContents(contents: FileContents, bytes: Buffer, require_: Require): void {
  const sign = { comma: ',', semicolon: ';', tab: '\t' }[contents.delimiter];
  const text = decoded(bytes, contents.encoding);
  const first = /^"?sep=[,;\t]"?(\r\n|\r|\n|$)/i.exec(text);
  const reference = referenceOf(text.slice(first?.[0].length ?? 0), sign, first ? 2 : 1);
  require_(reference.refused === undefined, 'accepted although quotation marks are broken');
  const expected = reference.records.slice(1);
  require_(
    contents.rows === expected.length,
    `${contents.rows} rows where the reference counts ${expected.length}`,
  );

  const seen = new Map<number, number>();
  const findings = new Map<string, number>();
  for (const [n, { number, partition, records }] of contents.batches.entries()) {
    require_(number === n, 'batches are numbered');
    require_(records.length > 0 && records.length <= batchRowsMax, `a batch of ${records.length} rows`);
    for (const record of records) {
      require_(!seen.has(record.row), `row ${record.row} stands in two places`);
      seen.set(record.row, record.line);
      findings.set(record.finding, (findings.get(record.finding) ?? 0) + 1);
      require_(
        partition === partitionOf('panel', record.serial_key, partitions),
        `row ${record.row} in a wrong partition`,
      );
      const known = record.finding === '' || findReason(record.finding) !== undefined;
      require_(known, `row ${record.row} has the finding ${record.finding}`);
      require_(
        record.finding !== '' || record.serial_key !== '',
        `row ${record.row} has neither serial nor finding`,
      );
      for (const note of record.note === '' ? [] : record.note.split(' '))
        require_(findReason(note)?.kind === 'remark', `row ${record.row} has the note ${note}`);
    }
  }
  for (const [i, { line }] of expected.entries())
    require_(seen.get(i + 1) === line, `row ${i + 1} on line ${seen.get(i + 1)} in place of ${line}`);
  require_(seen.size === expected.length, `${seen.size} places for ${expected.length} rows`);
  const counted = [...contents.findings].every(([finding, rows]) => findings.get(finding) === rows);
  require_(counted && contents.findings.size === findings.size, 'findings do not add up');
}

/** Not by our own decoder; letters do not matter here, only their number. */
function decoded(bytes: Buffer, encoding: FileContents['encoding']): string {
  const label = {
    'UTF-8': 'utf-8',
    'UTF-16LE': 'utf-16le',
    'UTF-16BE': 'utf-16be',
    'Windows-1252': 'latin1',
  }[encoding];
  return new TextDecoder(label, { fatal: true }).decode(bytes);
}

/** A file that is as it should be is taken, row by row as it was meant. */
function checkPlanned(contents: FileContents, planned: PlannedFile, require_: Require): void {
  require_(contents.encoding === planned.encoding, `taken for ${contents.encoding}, is ${planned.encoding}`);
  require_(
    contents.rows === planned.rows.length,
    `${contents.rows} rows of ${planned.rows.length} planned ones`,
  );
  for (const [i, { finding, line, cells }] of planned.rows.entries()) {
    const record = contents.records[i]!;
    require_(
      record.finding === finding,
      `row ${i + 1}: ${record.finding} in place of ${finding} in ${JSON.stringify(cells)}`,
    );
    require_(record.line === line, `row ${i + 1} on line ${record.line} in place of ${line}`);
    const kept =
      finding !== '' || record.note.includes('wrapper_removed') || record.serial.trim() === cells[3]!.trim();
    require_(kept, `row ${i + 1}: the serial ${record.serial} in place of ${cells[3]}`);
  }
}

const damage: ReadonlySet<string> = new Set([
  'serial_in_scientific_notation',
  'serial_is_date',
  'cell_is_formula',
]);

function checkRefusedWhole(
  planned: PlannedFile,
  refused: string,
  damageShareMax: number,
  require_: Require,
): void {
  const { rows } = planned;
  const damaged = rows.filter(({ finding }) => damage.has(finding)).length;
  const expected =
    (rows.length === 0 && refused === 'file_empty') ||
    (rows.length > 5_000 && refused === 'too_many_rows') ||
    (damaged > rows.length * damageShareMax && refused === 'file_damaged');
  require_(expected, `a file as it should be, of ${planned.rows.length} rows, was refused: ${refused}`);
}

/** K4: the same bytes, the same batches; all of them again for a tenth of the files. */
async function checkRepeated(
  contents: FileContents,
  bytes: Buffer,
  damageShareMax: number,
  random: Random,
  require_: Require,
): Promise<void> {
  if (!random.chance(0.1)) return;
  const again = await readFileOr(Buffer.from(bytes), damageShareMax, require_);
  require_(!isRefusal(again) && digest(again) === digest(contents), 'the same bytes gave other batches');
}

function digest({ batches }: FileContents): string {
  return hash('sha256', JSON.stringify(batches), 'hex');
}
