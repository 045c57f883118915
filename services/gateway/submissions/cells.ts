import { normalise } from '#shared/domain/normalise.ts';
import type { RowNote, RowReason } from '#shared/domain/reasons.ts';
import { hasDateShape, isScientific, looksLikeExponent, looksRounded, unwrap, unwrapText } from './damage.ts';

export const cellCharsMax = 100;
/** Of free text. */
export const noteCharsMax = 500;

/** What is known of the text of one cell. */
export interface CellFacts {
  /** As given, but for the signs by which spreadsheets mark text (DMG-5). */
  readonly text: string;
  /** What identities are compared by; empty when the text is no use for that. */
  readonly key: string;
  /** Bytes of text and key in UTF-8. */
  readonly bytes: number;
  readonly fault: RowReason | '';
  readonly notes: readonly RowNote[];
}

const noNotes: readonly RowNote[] = [];

// Most cells are printable ASCII: one test instead of many.
const ordinary = /^[!-~](?:[ -~]{0,98}[!-~])?$/;
// Line separators, bidirectional marks and zero-width characters are as invisible as control characters (DMG-7).
const invisible = /[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;
const specialSpace = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/;

/**
 * SER-1, DMG-7, in this order: empty, too long, invisible characters, lost characters, a formula. White space around the
 * text does not count.
 */
export function examineCell(given: string): CellFacts {
  const text = given.charCodeAt(0) === equals ? unwrap(given) : given;
  return examineText(text, text === given ? noNotes : ['wrapper_removed']);
}

/** As any cell, without the leading apostrophe that marks text. What looks like a date is left to the approved list (DMG-6). */
export function examineModel(given: string): CellFacts {
  const text = unwrapText(given);
  const facts = examineText(text, text === given ? noNotes : ['wrapper_removed']);
  return hasDateShape(text) ? { ...facts, notes: [...facts.notes, 'model_looks_like_date'] } : facts;
}

/**
 * Of a serial: DMG-10, since the semicolon separates serials on claim files; then DMG-1 and DMG-6. Without a usable serial
 * there is nothing to look up: such a row stands in the report of its submission alone.
 */
export function examineSerial(given: string): CellFacts {
  if (!isPlainSerial(given)) return examineUnusualSerial(given);
  return looksRounded(given) ? { ...plainFacts(given), notes: ['serial_digits_rounded'] } : plainFacts(given);
}

/** Whether a serial is its own key, and nothing of what is looked for can be found in it: so are most. */
function isPlainSerial(text: string): boolean {
  if (text.length === 0 || text.length > cellCharsMax) return false;
  const found = classesOf(text);
  if ((found & suspicious) !== 0) return false;
  // Without any other letter an E can be an exponent.
  if ((found & letterE) !== 0 && (found & (capital | harmless)) === 0) return false;
  return (found & dateSign) === 0 || !hasDateShape(text);
}

/** Free text may be empty, and longer; it identifies nothing. */
export function examineNote(given: string): CellFacts {
  const text = unwrapText(given);
  const inner = text.trim();
  const fault = inner === '' ? '' : isTooLong(inner, noteCharsMax) ? 'note_too_long' : faultOfText(inner);
  return { text, key: '', bytes: Buffer.byteLength(text), fault, notes: noNotes };
}

function examineUnusualSerial(given: string): CellFacts {
  const text = unwrapText(given);
  const facts = examineText(text, text === given ? noNotes : ['wrapper_removed']);
  const fault = facts.fault === '' ? faultOfSerial(text.trim()) : facts.fault;
  if (fault !== '') return { ...facts, key: '', fault };
  const notes = [...facts.notes, ...notesOfSerial(text.trim())];
  return notes.length === facts.notes.length ? facts : { ...facts, notes };
}

function faultOfSerial(text: string): RowReason | '' {
  if (text.includes(';')) return 'serial_has_separator';
  if (isScientific(text)) return 'serial_in_scientific_notation';
  return hasDateShape(text) ? 'serial_is_date' : '';
}

function* notesOfSerial(text: string): Generator<RowNote> {
  if (looksRounded(text)) yield 'serial_digits_rounded';
  if (looksLikeExponent(text)) yield 'serial_looks_like_exponent';
  if (/[a-z]/.test(text) && /[A-Z]/.test(text)) yield 'serial_has_mixed_case';
}

function examineText(text: string, notes: readonly RowNote[]): CellFacts {
  if (ordinary.test(text))
    return factsOf(text, text.charCodeAt(0) === equals ? 'cell_is_formula' : '', notes);
  const inner = text.trim();
  const unusable = inner === '' ? 'cell_empty' : isTooLong(inner, cellCharsMax) ? 'cell_too_long' : undefined;
  if (unusable) return { text, key: '', bytes: Buffer.byteLength(text), fault: unusable, notes };
  return factsOf(
    text,
    faultOfText(inner),
    specialSpace.test(text) ? [...notes, 'special_space_folded'] : notes,
  );
}

function faultOfText(inner: string): RowReason | '' {
  if (invisible.test(inner)) return 'cell_has_control_character';
  if (inner.includes('\ufffd') || !inner.isWellFormed()) return 'cell_text_lost';
  return inner.startsWith('=') ? 'cell_is_formula' : '';
}

function factsOf(text: string, fault: RowReason | '', notes: readonly RowNote[]): CellFacts {
  const key = normalise(text);
  return { text, key, bytes: Buffer.byteLength(text) + Buffer.byteLength(key), fault, notes };
}

/** Of ASCII text that is its own key. */
function plainFacts(text: string): CellFacts {
  return { text, key: text, bytes: 2 * text.length, fault: '', notes: noNotes };
}

/** Characters are code points here: nobody counts surrogates. */
function isTooLong(text: string, charsMax: number): boolean {
  return text.length > charsMax && (text.length > 2 * charsMax || [...text].length > charsMax);
}

const equals = 0x3d;

// Classes of characters, as bits. Suspicious are signs that are stripped, refused or folded, and all that is not ASCII.
const digit = 1;
const capital = 2;
const harmless = 4;
const letterE = 8;
const dateSign = 16;
const suspicious = 32;

const classes = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  if (/[0-9]/.test(char)) return digit;
  if (char === 'E') return letterE;
  if (/[A-Z]/.test(char)) return capital;
  if (/[-/.]/.test(char)) return dateSign;
  return /[!"#$%&()*:<>?@[\\\]^_`{|}~]/.test(char) ? harmless : suspicious;
});

/** The classes of all characters of a text. */
function classesOf(text: string): number {
  let found = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    found |= code < 128 ? classes[code]! : suspicious;
  }
  return found;
}
