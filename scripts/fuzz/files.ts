import type { Random } from './random.ts';

/** A row as it was meant. */
export interface PlannedRow {
  readonly cells: readonly string[];
  /** The finding that it must have; empty for none. */
  readonly finding: string;
}

/** A well-formed file, and all that is true of it. */
export interface PlannedFile {
  readonly text: string;
  readonly bytes: Buffer;
  readonly encoding: 'UTF-8' | 'UTF-16LE' | 'UTF-16BE' | 'Windows-1252';
  readonly delimiter: ',' | ';' | '\t';
  readonly rows: readonly (PlannedRow & { readonly line: number })[];
}

export const supplier = 'Acme Imports';

const headings: readonly (readonly string[])[] = [
  ['Supplier name', 'supplier name', ' SUPPLIER  NAME ', 'Supplier'],
  ['Licensee/Certificate holder', 'licensee / certificate Holder', 'Certificate holder', 'Licensee'],
  ['Model number', 'MODEL NUMBER', 'Model'],
  ['Serial number', 'serial  number', 'Serial'],
];
const holders = [
  'Sun GmbH',
  'Drusluntis Solar Co Ltd',
  'Sonnenhof 7° Co, Ltd',
  'A "B" C',
  'Nor; mo',
  'Two\nlines',
];
const models = ['M-100 (II)', 'DRU54RNs-280 (IEC 61215-2021)', 'X/Y-5, wide', 'MAR-60'];

/** How many rows: mostly few, since most faults need few; now and then as many as there may be, or more. */
function rowsOf(random: Random): number {
  if (random.chance(0.002)) return random.whole(4_990, 5_010);
  if (random.chance(0.02)) return random.whole(200, 2_000);
  return random.chance(0.03) ? 0 : random.whole(1, 40);
}

type Serials = (i: number) => string;

/** One form of serials for a whole file, as products have. */
function serialsOf(random: Random): Serials {
  const start = random.whole(0, 1e9);
  return random.pick<Serials>([
    (i) => `LR7TZ${String(start + i).padStart(10, '0')}`,
    (i) => String(100_000_000_000 + start + i),
    (i) => String(start + i).padStart(14, '0'),
    (i) => `20241107${String(1e9 + start + i)}7`,
    (i) => `ab-${(start + i).toString(16)}-E7`,
    (i) => `S ${i}`,
  ]);
}

const faults: readonly {
  readonly cell: number;
  readonly finding: string;
  readonly texts: readonly string[];
}[] = [
  { cell: 0, finding: 'cell_empty', texts: ['', ' ', '\t'] },
  { cell: 1, finding: 'cell_empty', texts: ['', '\u00a0'] },
  { cell: 2, finding: 'cell_too_long', texts: ['M'.repeat(101), 'é'.repeat(150)] },
  { cell: 3, finding: 'cell_too_long', texts: ['9'.repeat(101), 'x'.repeat(1_500)] },
  { cell: 3, finding: 'cell_empty', texts: ['', '=""', "'"] },
  { cell: 3, finding: 'cell_has_control_character', texts: ['S\u00001', 'S\u200b1', 'S\n1', 'S\u00851'] },
  { cell: 3, finding: 'serial_has_separator', texts: ['S1;S2', ';'] },
  { cell: 3, finding: 'serial_in_scientific_notation', texts: ['1.23E+14', '4,5e12', '="7E+20"'] },
  { cell: 3, finding: 'serial_is_date', texts: ['12/05/2024', '2024-05-12', '12-May-24'] },
  { cell: 2, finding: 'cell_is_formula', texts: ['=A1+B1'] },
  { cell: 0, finding: 'supplier_not_authorised', texts: ['Somebody else'] },
];

function planRow(random: Random, i: number, serials: Serials): PlannedRow {
  const cells = [supplier, random.pick(holders.slice(0, 5)), random.pick(models), serials(i)];
  if (random.chance(0.02)) return { cells: cells.slice(0, 3), finding: 'cell_count_wrong' };
  if (random.chance(0.01)) return { cells: [...cells, 'more'], finding: 'cell_count_wrong' };
  if (random.chance(0.01))
    return { cells: [cells[0]!, holders[5]!, cells[2]!, cells[3]!], finding: 'cell_has_control_character' };
  if (!random.chance(0.05)) return { cells, finding: '' };
  const { cell, finding, texts } = random.pick(faults);
  cells[cell] = random.pick(texts);
  return { cells, finding };
}

/** A file as some program might write it: every choice that a program has is made here. */
export function planFile(random: Random): PlannedFile {
  const order = random.shuffled([0, 1, 2, 3]);
  const delimiter = random.pick([',', ',', ',', ';', '\t'] as const);
  const ends = random.pick([['\n'], ['\r\n'], ['\r'], ['\n', '\r\n', '\r']] as const);
  const alwaysQuoted = random.chance(0.2);
  const write = (cells: readonly string[]) =>
    cells.map((cell) => written(cell, delimiter, alwaysQuoted || random.chance(0.05))).join(delimiter);

  let text = '';
  let line = 1;
  const end = (last = false) => {
    if (last && random.chance(0.3)) return;
    text += random.pick(ends);
    line += 1;
    while (random.chance(0.02)) {
      // A CR and the LF of an empty line behind it would be one line end.
      const blank = random.pick(
        text.endsWith('\r') ? [' ', delimiter.repeat(3)] : ['', ' ', delimiter.repeat(3)],
      );
      text += blank + random.pick(ends);
      line += 1;
    }
  };
  if (random.chance(0.03)) {
    text += `sep=${delimiter}`;
    end();
  }
  text += write(order.map((column) => random.pick(headings[column]!)));
  const rows: (PlannedRow & { line: number })[] = [];
  const serials = serialsOf(random);
  const count = rowsOf(random);
  end(count === 0);
  for (let i = 0; i < count; i++) {
    const row = planRow(random, i, serials);
    const whole = row.cells.length === 4;
    // A row of white space alone is none.
    if (row.cells.every((cell) => cell.trim() === '')) continue;
    rows.push({ ...row, line });
    const placed = whole ? order.map((column) => row.cells[column]!) : row.cells;
    text += write(placed);
    line += placed.reduce((sum, cell) => sum + (cell.match(/\r\n|\r|\n/g)?.length ?? 0), 0);
    if (whole && random.chance(0.02)) text += delimiter.repeat(2);
    end(i === count - 1);
  }
  return { text, ...encoded(random, text), delimiter, rows };
}

/** Quoted where it must be, or where somebody likes it. */
function written(cell: string, delimiter: string, quoted: boolean): string {
  // A cell that begins with a quotation mark or ends in white space that a reader skips needs them, too.
  const needed = cell.includes(delimiter) || /["\r\n]/.test(cell) || /^\s|\s$/.test(cell);
  return quoted || needed ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function encoded(random: Random, text: string): Pick<PlannedFile, 'bytes' | 'encoding'> {
  const mark = random.chance(0.5) ? '\ufeff' : '';
  if (random.chance(0.8)) return { bytes: Buffer.from(mark + text), encoding: 'UTF-8' };
  const utf16 = Buffer.from(mark + text, 'utf16le');
  if (random.chance(0.4)) return { bytes: utf16, encoding: 'UTF-16LE' };
  if (random.chance(0.7)) return { bytes: utf16.swap16(), encoding: 'UTF-16BE' };
  const narrow = Buffer.from(text, 'latin1');
  // Whatever has no place in one byte, or stands beside another such letter, is for UTF-8.
  const fits =
    narrow.toString('latin1') === text && !/[^\0-\x7f]{2}|[\x80-\x9f]/.test(text) && /[^\0-\x7f]/.test(text);
  return fits
    ? { bytes: narrow, encoding: 'Windows-1252' }
    : { bytes: Buffer.from(mark + text), encoding: 'UTF-8' };
}
