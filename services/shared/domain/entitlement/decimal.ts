import { assert } from '#shared/base/errors.ts';

/**
 * An exact decimal: `units / 10^scale`. No quantity of an entitlement is ever a binary floating-point number, because those
 * round some exact whole products down by one certificate (ROUND-5).
 */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

const decimalText = /^(\d{1,12})(?:\.(\d{1,12}))?$/;
const powersOfTen: readonly bigint[] = Array.from({ length: 64 }, (_, exponent) => 10n ** BigInt(exponent));

function powerOfTen(exponent: number): bigint {
  const power = powersOfTen[exponent];
  assert(power !== undefined, `no power of ten for exponent ${exponent}`);
  return power;
}

/** Reads plain decimal text digit by digit (`6.6`, `100.000`): no sign, no exponent, no white space. Anything else: undefined. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = decimalText.exec(text);
  if (match === null) return undefined;
  const whole = match[1] ?? '';
  const fraction = (match[2] ?? '').replace(/0+$/, '');
  return { units: BigInt(whole + fraction), scale: fraction.length };
}

/** A decimal constant of our own data; text that is no decimal is our bug. */
export function decimal(text: string): Decimal {
  const value = parseDecimal(text);
  assert(value !== undefined, `not a decimal: ${text}`);
  return value;
}

export const zero: Decimal = { units: 0n, scale: 0 };

export function wholeNumber(value: number): Decimal {
  return { units: BigInt(value), scale: 0 };
}

export function times(left: Decimal, right: Decimal): Decimal {
  return { units: left.units * right.units, scale: left.scale + right.scale };
}

function unitsAt(value: Decimal, scale: number): bigint {
  return value.scale === scale ? value.units : value.units * powerOfTen(scale - value.scale);
}

export function plus(left: Decimal, right: Decimal): Decimal {
  const scale = Math.max(left.scale, right.scale);
  return { units: unitsAt(left, scale) + unitsAt(right, scale), scale };
}

export function minus(left: Decimal, right: Decimal): Decimal {
  const scale = Math.max(left.scale, right.scale);
  return { units: unitsAt(left, scale) - unitsAt(right, scale), scale };
}

/** Negative, zero or positive, as `left` is below, equal to or above `right`. */
export function compare(left: Decimal, right: Decimal): number {
  const scale = Math.max(left.scale, right.scale);
  const difference = unitsAt(left, scale) - unitsAt(right, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function smaller(left: Decimal, right: Decimal): Decimal {
  return compare(left, right) <= 0 ? left : right;
}

/** The whole part of a non-negative decimal. */
export function floor(value: Decimal): bigint {
  return value.units / powerOfTen(value.scale);
}

export function isWhole(value: Decimal): boolean {
  return value.units % powerOfTen(value.scale) === 0n;
}

/** The shortest text: no trailing zeros, no point where there is no fraction. */
export function toText(value: Decimal): string {
  const digits = value.units.toString().padStart(value.scale + 1, '0');
  const whole = digits.slice(0, digits.length - value.scale);
  const fraction = digits.slice(digits.length - value.scale).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
