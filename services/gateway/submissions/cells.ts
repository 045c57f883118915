import { normalise } from '#shared/domain/normalise.ts';
import type { RowReason } from '#shared/domain/reasons.ts';

export const cellCharsMax = 100;

/** What is known of the text of one cell. */
export interface CellFacts {
  /** What identities are compared by; empty when the text is no use for that. */
  readonly key: string;
  /** Bytes of text and key in UTF-8. */
  readonly bytes: number;
  readonly fault: RowReason | '';
}

// Most cells are printable ASCII: one test instead of four.
const ordinary = /^[!-~](?:[ -~]{0,98}[!-~])?$/;
// Line separators, bidirectional marks and zero-width characters are as invisible as control characters (DMG-7).
const invisible = /[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;

/** SER-1, DMG-7, in this order: empty, too long, invisible characters. White space around the text does not count. */
export function examineCell(text: string): CellFacts {
  if (ordinary.test(text)) return factsOf(text, '');
  const inner = text.trim();
  if (inner === '') return { key: '', bytes: Buffer.byteLength(text), fault: 'cell_empty' };
  if (isTooLong(inner)) return { key: '', bytes: Buffer.byteLength(text), fault: 'cell_too_long' };
  return factsOf(text, invisible.test(inner) ? 'cell_has_control_character' : '');
}

/** DMG-10: the semicolon separates serials on claim files. */
export function examineSerial(text: string): CellFacts {
  const facts = examineCell(text);
  const fault = facts.fault === '' && text.includes(';') ? 'serial_has_separator' : facts.fault;
  // Without a usable serial there is nothing to look up: such a row stands in the report of its submission alone.
  return fault === '' ? facts : { ...facts, key: '', fault };
}

function factsOf(text: string, fault: RowReason | ''): CellFacts {
  const key = normalise(text);
  return { key, bytes: Buffer.byteLength(text) + Buffer.byteLength(key), fault };
}

/** Characters are code points here: nobody counts surrogates. */
function isTooLong(text: string): boolean {
  return text.length > cellCharsMax && (text.length > 2 * cellCharsMax || [...text].length > cellCharsMax);
}
