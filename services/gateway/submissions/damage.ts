/**
 * What spreadsheet programs leave of a text when they take it for something else (section 12 of the domain rules): tests
 * of one text. What only many serials together show is in profile.ts.
 */

const wrapper = /^="((?:[^"]|"")*)"$/;

/** DMG-5: the text inside `="..."`; any other text as it is. */
export function unwrap(text: string): string {
  const inner = wrapper.exec(text.trim())?.[1];
  return inner === undefined ? text : inner.replaceAll('""', '"');
}

/** DMG-5, also the apostrophe in front, by which a cell is told to be text. Names may begin with one; serials do not. */
export function unwrapText(text: string): string {
  const first = text.trimStart()[0];
  if (first === "'") return text.trimStart().slice(1);
  return first === '=' ? unwrap(text) : text;
}

// A number has at most 308 digits before its point: with four digits behind the E, a text was never one.
const scientific = /^\d([.,]\d+)?E[+-]?\d{1,3}$/i;
const exponent = /^\d+E\d+$/i;

/** DMG-1, also what becomes of DMG-3: digits are lost for good. */
export function isScientific(text: string): boolean {
  return scientific.test(text);
}

/** DMG-3: intact still, but not for long. */
export function looksLikeExponent(text: string): boolean {
  return exponent.test(text);
}

const zeroEnded = /^\d{13,}000$/;

/** DMG-2: of more than 15 digits the rest became 0. One serial in a thousand ends so by itself. */
export function looksRounded(text: string): boolean {
  return text.length >= 16 && text.endsWith('000') && zeroEnded.test(text);
}

const time = '(?: \\d{1,2}:\\d{2}(?::\\d{2})?(?: ?[ap]m)?)?';
const month = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}';
const numericDate = new RegExp(`^(\\d{1,2})([/.-])(\\d{1,2})\\2(?:\\d{4}|\\d{2})${time}$`, 'i');
const yearFirst = new RegExp(`^(?:19|20)\\d{2}([/.-])(\\d{1,2})\\1(\\d{1,2})${time}$`, 'i');
const namedMonth = new RegExp(
  `^(?:\\d{1,2}[ -]${month}(?:[ -](?:\\d{4}|\\d{2}))?|${month}[ -](?:\\d{4}|\\d{2}))${time}$`,
  'i',
);

/** DMG-6. Only days that a calendar may have: 12-34-5678 is no date. */
export function hasDateShape(text: string): boolean {
  if (text.length < 5 || text.length > 30) return false;
  const parts = numericDate.exec(text);
  if (parts) return isDay(Number(parts[1]), Number(parts[3]));
  const ordered = yearFirst.exec(text);
  if (ordered) return Number(ordered[2]) <= 12 && isDay(Number(ordered[2]), Number(ordered[3]));
  return namedMonth.test(text);
}

/** Day and month, whichever comes first. */
function isDay(a: number, b: number): boolean {
  return a >= 1 && b >= 1 && Math.min(a, b) <= 12 && Math.max(a, b) <= 31;
}
