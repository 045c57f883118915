import { type Refusal, refuse } from '#gateway/refusal.ts';
import { normalise } from '#shared/domain/normalise.ts';

/** A column of a file: the field it fills, its heading as published, and other spellings that are taken for it. */
export interface Column {
  readonly field: string;
  readonly heading: string;
  readonly aliases: readonly string[];
  /** A file may leave it out; its cells are then empty. */
  readonly optional?: boolean;
}

/** For each column of the layout, the index of its cell; -1 where the file leaves it out. */
export interface Headings {
  readonly cellOf: readonly number[];
  /** Cells of a row; what a row has beyond them must be empty. */
  readonly width: number;
}

/**
 * Finds the columns of a layout among the cells of the first row (HEAD-5): any order, without case and extra spaces, each
 * once; an unknown heading is refused. Empty cells behind the last heading are what spreadsheets leave there.
 * @param line physical line of the row
 */
export function readHeadings(
  cells: readonly string[],
  layout: readonly Column[],
  line: number,
): Headings | Refusal {
  const width = cells.findLastIndex((cell) => cell.trim() !== '') + 1;
  const given = cells.slice(0, width).map(fold);
  const spellings = layout.map(({ heading, aliases }) => [heading, ...aliases].map(fold));
  const columnOf = given.map((name) => columnNamed(name, spellings, given));

  const unknown = places(columnOf, (column) => column < 0);
  const missing = layout.filter(({ optional }, c) => optional !== true && !columnOf.includes(c));
  const repeated = layout.filter((_, c) => columnOf.indexOf(c) !== columnOf.lastIndexOf(c));

  // Most telling first: a misspelt heading is both unknown and missing.
  if (missing.length > 0)
    return refuse('headings_missing', `line ${line} lacks: ${names(missing).join(', ')}`, {
      line,
      missing: names(missing),
      unknown: unknown.map((place) => short(cells[place]!)),
    });
  if (unknown.length > 0)
    return refuse(
      'headings_unknown',
      `line ${line}: ${unknown.map((place) => located(cells, place)).join(', ')}`,
      {
        line,
        unknown: unknown.map((place) => short(cells[place]!)),
        columns: unknown.map((place) => place + 1),
      },
    );
  if (repeated.length > 0) {
    const again = places(columnOf, (column, place) => columnOf.indexOf(column) !== place);
    return refuse(
      'headings_repeated',
      `line ${line}: ${again.map((place) => located(cells, place)).join(', ')}`,
      {
        line,
        repeated: names(repeated),
        columns: again.map((place) => place + 1),
      },
    );
  }
  return { cellOf: layout.map((_, c) => columnOf.indexOf(c)), width };
}

/** A name that is another name of one column and the heading of a second is the latter where the first has its own heading. */
function columnNamed(
  name: string,
  spellings: readonly (readonly string[])[],
  given: readonly string[],
): number {
  const named = spellings.flatMap((spelling, c) => (spelling.includes(name) ? [c] : []));
  return named.find((c) => spellings[c]![0] === name || !given.includes(spellings[c]![0]!)) ?? named[0] ?? -1;
}

function places(
  columnOf: readonly number[],
  test: (column: number, place: number) => boolean,
): readonly number[] {
  return columnOf.flatMap((column, place) => (test(column, place) ? [place] : []));
}

/** Columns are counted from 1, as people do. */
function located(cells: readonly string[], place: number): string {
  return `"${short(cells[place]!)}" in column ${place + 1}`;
}

/** Without case, without extra spaces, also around a slash. */
function fold(heading: string): string {
  return normalise(heading).replaceAll(/ ?\/ ?/g, '/');
}

function names(columns: readonly Column[]): string[] {
  return columns.map(({ heading }) => heading);
}

function short(heading: string): string {
  return heading.length > 60 ? `${heading.slice(0, 59)}…` : heading;
}
