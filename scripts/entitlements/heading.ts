import { type InputColumn, inputColumns, outputColumns } from '#shared/domain/entitlement/index.ts';

export interface Heading {
  /** The heading as it was written. */
  readonly names: readonly string[];
  /** By position: the column meant, or undefined for one that is only passed through. */
  readonly columns: readonly (InputColumn | undefined)[];
}

export type HeadingReading = { readonly heading: Heading } | { readonly fault: string };

const known: ReadonlyMap<string, InputColumn> = new Map(inputColumns.map((name) => [name, name]));
const written: ReadonlySet<string> = new Set(outputColumns);

/** Headings compare without case and outer spaces; inner spaces and hyphens count as underscores (HEAD-5). */
function folded(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_');
}

/** Letters to insert, delete or replace to turn one word into the other. */
export function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let at = 1; at <= right.length; at += 1) {
      const replaced = (previous[at - 1] ?? 0) + (left[row - 1] === right[at - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[at] ?? 0) + 1, (current[at - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}

/** A heading one slip away from a column that is not there would silently be ignored, and its facts assumed. */
function misspelt(name: string, present: ReadonlySet<string>): InputColumn | undefined {
  const slips = name.length < 5 ? 1 : 2;
  return inputColumns.find((candidate) => !present.has(candidate) && editDistance(name, candidate) <= slips);
}

function faultOf(names: readonly string[], words: readonly string[]): string | undefined {
  const present = new Set(words);
  if (!words.some((word) => known.has(word))) {
    return `no heading is known in ${JSON.stringify(names.join(',').slice(0, 120))}: the first line must name columns, separated by commas (--help lists them)`;
  }
  const doubled = words.find((word, index) => known.has(word) && words.indexOf(word) !== index);
  if (doubled !== undefined) return `heading ${doubled} stands twice`;
  const ours = words.find((word) => written.has(word));
  if (ours !== undefined) return `heading ${ours} is a column that this command writes: rename or remove it`;
  for (const word of words) {
    const meant = known.has(word) ? undefined : misspelt(word, present);
    if (meant !== undefined) return `heading ${JSON.stringify(word)} is not known: did you mean ${meant}?`;
  }
  return undefined;
}

/** Which cell is which. Unknown headings are passed through, unless they look like a slip of the pen. */
export function readHeading(names: readonly string[]): HeadingReading {
  const words = names.map(folded);
  const fault = faultOf(names, words);
  if (fault !== undefined) return { fault };
  return { heading: { names, columns: words.map((word) => known.get(word)) } };
}
