const weights = [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19] as const;

/**
 * An Australian Business Number as its 11 digits, or undefined when it is none. Blanks between the digits do not count.
 * The Tax Office's check: one less in the first digit, then the weighted sum of the digits is a multiple of 89.
 */
export function parseAbn(text: string): string | undefined {
  const digits = text.replaceAll(/\s/g, '');
  if (!/^[1-9]\d{10}$/.test(digits)) return undefined;
  const sum = weights.reduce(
    (total, weight, i) => total + weight * (Number(digits[i]) - (i === 0 ? 1 : 0)),
    0,
  );
  return sum % 89 === 0 ? digits : undefined;
}
