import { normalise } from '#shared/domain/normalise.ts';

interface Candidate {
  readonly text: string;
  readonly base: string;
  readonly letters: string;
}

const nearestMax = 3;
/** A text may differ by one sign in so many of its own. */
const charsPerDifference = 4;
const differencesMax = 6;
/** Shorter texts begin many others. */
const beginningCharsMin = 5;

/**
 * The candidates that a text is a near miss of, the nearest first, at most three (WIN-7). Near are, in this order: the same
 * but for suffixes in brackets, since a suffix more or less is another model; few letters and digits that differ; the
 * beginning of the other. Case, spaces and punctuation do not count. A suggestion to people, and nothing is decided by it.
 */
export function nearest(text: string, candidates: Iterable<string>): readonly string[] {
  return nearestAmong(candidates)(text);
}

/** The same for many texts: what is compared of the candidates is prepared once. */
export function nearestAmong(candidates: Iterable<string>): (text: string) => readonly string[] {
  const prepared = Array.from(new Set(candidates), prepare);
  return (text) => {
    const asked = prepare(text);
    if (asked.letters === '') return [];
    const limit = Math.min(differencesMax, Math.floor(asked.letters.length / charsPerDifference));
    return prepared
      .map((candidate) => ({ candidate, distance: distanceOf(asked, candidate, limit) }))
      .filter(({ distance }) => distance !== undefined)
      .sort((a, b) => a.distance! - b.distance! || compare(a.candidate.text, b.candidate.text))
      .slice(0, nearestMax)
      .map(({ candidate }) => candidate.text);
  };
}

function prepare(text: string): Candidate {
  const folded = normalise(text);
  return { text, base: lettersOf(folded.replace(/(?:\s*\([^()]*\))+$/, '')), letters: lettersOf(folded) };
}

function lettersOf(folded: string): string {
  return folded.replaceAll(/[^\p{L}\p{N}]/gu, '');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Below 1 for other suffixes, then the number of differences, last what begins alike; undefined when it is not near. */
function distanceOf(asked: Candidate, candidate: Candidate, limit: number): number | undefined {
  const [a, b] = [asked.letters, candidate.letters];
  const lengths = Math.abs(a.length - b.length);
  if (asked.base !== '' && asked.base === candidate.base) return lengths / 1_000;
  const differences = differencesBetween(a, b, limit);
  if (differences !== undefined) return differences + lengths / 1_000;
  const begins = Math.min(a.length, b.length) >= beginningCharsMin && (a.startsWith(b) || b.startsWith(a));
  return begins ? differencesMax + 1 + lengths / 1_000 : undefined;
}

/**
 * How many signs were typed wrong, left out, added or exchanged with their neighbour (optimal string alignment); undefined
 * when it is more than `limit`. Only the diagonal band that can stay within the limit is looked at.
 */
export function differencesBetween(a: string, b: string, limit: number): number | undefined {
  if (Math.abs(a.length - b.length) > limit) return undefined;
  const beyond = limit + 1;
  let before: number[] = [];
  let last: number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = new Array<number>(b.length + 1).fill(beyond);
    row[0] = i;
    let least = i;
    for (let j = Math.max(1, i - limit); j <= Math.min(b.length, i + limit); j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, before[j - 2]! + 1);
      row[j] = cost;
      least = Math.min(least, cost);
    }
    if (least > limit) return undefined;
    before = last;
    last = row;
  }
  const differences = last[b.length]!;
  return differences <= limit ? differences : undefined;
}
