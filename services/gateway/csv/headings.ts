import { type Refusal, refuse } from '#gateway/refusal.ts';
import { normalise } from '#shared/domain/normalise.ts';

/** A column of a file: the field it fills, its heading as published, and other spellings that are taken for it. */
export interface Column {
  readonly field: string;
  readonly heading: string;
  readonly aliases: readonly string[];
}

/** For each column of the layout, the index of its cell. */
export interface Headings {
  readonly cellOf: readonly number[];
  /** Cells of a row; what a row has beyond them must be empty. */
  readonly width: number;
}

/**
 * Finds the columns of a layout among the cells of the first row (HEAD-5): any order, without case and extra spaces, each
 * once; an unknown heading is refused. Empty cells behind the last heading are what spreadsheets leave there.
 */
export function readHeadings(cells: readonly string[], layout: readonly Column[]): Headings | Refusal {
  const width = cells.findLastIndex((cell) => cell.trim() !== '') + 1;
  const given = cells.slice(0, width).map(fold);
  const spellings = layout.map(({ heading, aliases }) => [heading, ...aliases].map(fold));
  const known = new Set(spellings.flat());

  const unknown = cells.slice(0, width).filter((_, i) => !known.has(given[i]!));
  const missing = layout.filter((_, c) => !given.some((name) => spellings[c]!.includes(name)));
  const repeated = layout.filter((_, c) => given.filter((name) => spellings[c]!.includes(name)).length > 1);

  // Most telling first: a misspelt heading is both unknown and missing.
  if (missing.length > 0)
    return refuse('headings_missing', `missing: ${names(missing).join(', ')}`, {
      missing: names(missing),
      unknown: unknown.map(short),
    });
  if (unknown.length > 0)
    return refuse('headings_unknown', `unknown: ${unknown.map(short).join(', ')}`, {
      unknown: unknown.map(short),
    });
  if (repeated.length > 0)
    return refuse('headings_repeated', `repeated: ${names(repeated).join(', ')}`, {
      repeated: names(repeated),
    });
  return {
    cellOf: spellings.map((spelling) => given.findIndex((name) => spelling.includes(name))),
    width,
  };
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
