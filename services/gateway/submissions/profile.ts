import type { RowNote } from '#shared/domain/reasons.ts';

/** A form that serials have: which places hold digits, which letters. */
interface Shape {
  count: number;
  readonly length: number;
  readonly digitsOnly: boolean;
  /** Of 16 digits and more: how many have nothing but zeros behind the fifteenth. */
  zeroTails: number;
  /** One of them. */
  readonly sample: string;
}

interface Group {
  rows: number;
  /** Some serial of digits begins with 0: then zeros survived. */
  zeroFirst: boolean;
  readonly shapes: Map<number, Shape>;
}

/** What the serials of one model show together. */
export interface ModelSigns {
  /** Share of the serials of digits that look damaged, the greater of both kinds; 0 with too few serials to tell. */
  readonly damagedShare: number;
  /** What there is to remark on a serial of the model. */
  noteOf(serialKey: string): RowNote | undefined;
}

/** Fewer serials than this say nothing about each other. */
const comparedMin = 5;
/** Serials shorter than this are counters without a fixed length. */
const paddedLengthMin = 8;
/** A length that this share of the serials has is one of the model's own. */
const ownLengthShare = 0.2;
/** By chance one 16-digit serial in ten ends in 0: half of them never do. */
const roundedShare = 0.5;
/** A shape that this share of at least `shapedMin` serials has is the model's. */
const dominantShare = 0.9;
const shapedMin = 10;

/**
 * Compares the serials of each model with each other, since some damage shows in no single one: lost leading zeros (DMG-4),
 * digits rounded to zeros (DMG-2), look-alike characters and unusual lengths (DMG-11). A serial costs one pass over its
 * characters; whatever is said depends on the serials alone.
 */
export class SerialProfile {
  readonly #groups = new Map<string, Group>();

  /** `serialKey` is the normalised serial. */
  add(model: string, serialKey: string): void {
    let group = this.#groups.get(model);
    if (!group) {
      group = { rows: 0, zeroFirst: false, shapes: new Map() };
      this.#groups.set(model, group);
    }
    group.rows += 1;
    const shapeKey = shapeOf(serialKey);
    let shape = group.shapes.get(shapeKey);
    if (!shape) {
      const digitsOnly = shapeKey <= digitShapes;
      shape = { count: 0, length: serialKey.length, digitsOnly, zeroTails: 0, sample: serialKey };
      group.shapes.set(shapeKey, shape);
    }
    shape.count += 1;
    if (!shape.digitsOnly) return;
    if (serialKey.charCodeAt(0) === zero) group.zeroFirst = true;
    if (shape.length > exactDigits && hasZeroTail(serialKey)) shape.zeroTails += 1;
  }

  /** By model; models without any sign are left out. */
  signs(): ReadonlyMap<string, ModelSigns> {
    const signs = new Map<string, ModelSigns>();
    for (const [model, group] of this.#groups) {
      const found = signsOf(group);
      if (found) signs.set(model, found);
    }
    return signs;
  }
}

function signsOf({ rows, zeroFirst, shapes }: Group): ModelSigns | undefined {
  const all = [...shapes.values()];
  const digits = all.filter(({ digitsOnly }) => digitsOnly);
  const digitRows = sum(digits.map(({ count }) => count));
  const fullLength = zeroFirst ? 0 : fullLengthOf(digits, digitRows);
  const short = sum(digits.filter(({ length }) => length < fullLength).map(({ count }) => count));
  const rounded = digits.filter(
    ({ count, zeroTails }) => count >= comparedMin && zeroTails >= count * roundedShare,
  );
  const long = sum(digits.filter(({ length }) => length > exactDigits).map(({ count }) => count));
  const zeroTails = sum(rounded.map((shape) => shape.zeroTails));
  const dominant = rows >= shapedMin ? all.find(({ count }) => count >= rows * dominantShare) : undefined;
  if (short === 0 && zeroTails === 0 && (dominant === undefined || all.length === 1)) return undefined;
  return {
    damagedShare: Math.max(digitRows === 0 ? 0 : short / digitRows, long === 0 ? 0 : zeroTails / long),
    noteOf(serialKey) {
      if (isDigits(serialKey)) {
        if (serialKey.length < fullLength) return 'serial_zeros_lost';
        if (hasZeroTail(serialKey) && rounded.some(({ length }) => length === serialKey.length))
          return 'serial_digits_rounded';
      }
      if (dominant === undefined || shapeOf(serialKey) === shapeOf(dominant.sample)) return undefined;
      if (serialKey.length !== dominant.length) return 'serial_length_unusual';
      return isLookAlike(serialKey, dominant.sample) ? 'serial_look_alike' : undefined;
    },
  };
}

/**
 * The longest length that a good share of the serials of digits has, or 0. Not the most frequent one: where most serials
 * began with 0, most have lost it.
 */
function fullLengthOf(digits: readonly Shape[], digitRows: number): number {
  if (digitRows < comparedMin) return 0;
  const own = digits.filter(
    ({ count, length }) => count >= digitRows * ownLengthShare && length >= paddedLengthMin,
  );
  return Math.max(0, ...own.map(({ length }) => length));
}

const zero = 0x30;
/** Digits that a number keeps in a spreadsheet. */
const exactDigits = 15;

function hasZeroTail(serialKey: string): boolean {
  if (serialKey.length <= exactDigits) return false;
  for (let i = exactDigits; i < serialKey.length; i++) if (serialKey.charCodeAt(i) !== zero) return false;
  return true;
}

const isDigits = (text: string) => /^[0-9]+$/.test(text);

/** Shapes up to this number are lengths of serials of digits; those of others are hashes above it. */
const digitShapes = 1_000;

function shapeOf(text: string): number {
  let hash = text.length;
  let digitsOnly = true;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const kind = kindOf(code);
    if (kind !== 1) digitsOnly = false;
    hash = (Math.imul(hash, 31) + kind) | 0;
  }
  return digitsOnly ? text.length : (hash >>> 0) + digitShapes + 1;
}

/** 1 for a digit, 2 for a letter, otherwise the character itself. */
function kindOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return 1;
  return code >= 0x41 && code <= 0x5a ? 2 : code;
}

/** DMG-11: the same but for letters where the other has digits, and the letters look like digits; or the other way round. */
function isLookAlike(text: string, sample: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const kind = kindOf(text.charCodeAt(i));
    const usual = kindOf(sample.charCodeAt(i));
    if (kind === usual) continue;
    if (usual === 1 && 'OQIL'.includes(text[i]!)) continue;
    if (usual === 2 && '01'.includes(text[i]!)) continue;
    return false;
  }
  return true;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
