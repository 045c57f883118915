/** Signs that a spreadsheet changed a serial. */
export type Damage = 'scientific_notation' | 'digits_lost' | 'wrapper' | 'control_character';

const scientific = /^\d([.,]\d+)?E[+-]?\d+$/i;
const zeroEnded = /^\d{13,}000$/;
const wrapped = /^(='?"|'|=)/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const control = /[\u0000-\u001f\u007f\u200b-\u200d\u2060\ufeff]/;

/** The first sign found, or undefined (DMG-1, DMG-2, DMG-5, DMG-7). `serial` as given. */
export function damageOf(serial: string): Damage | undefined {
  const text = serial.trim();
  if (control.test(text)) return 'control_character';
  if (wrapped.test(text)) return 'wrapper';
  if (scientific.test(text)) return 'scientific_notation';
  return zeroEnded.test(text) ? 'digits_lost' : undefined;
}
