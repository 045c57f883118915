/** What Windows-1252 has where ISO 8859-1 has control characters, as far as it is taken here. */
const typographic: ReadonlyMap<number, string> = new Map([
  [0x80, '€'],
  [0x85, '…'],
  [0x91, '‘'],
  [0x92, '’'],
  [0x93, '“'],
  [0x94, '”'],
  [0x95, '•'],
  [0x96, '–'],
  [0x97, '—'],
  [0x99, '™'],
]);
const signs: ReadonlySet<number> = new Set([0xa0, 0xa9, 0xae, 0xb0, 0xb2, 0xb3, 0xb5, 0xb7]);

/**
 * Whether bytes that are not UTF-8 are Windows-1252 beyond reasonable doubt: each byte above ASCII stands alone, and is a
 * letter with an accent or a sign that Western texts use. Encodings with two bytes for a character (GBK, Big5, Shift JIS)
 * make pairs, other alphabets make whole words of such bytes, and Mac Roman has its letters where nothing is taken here.
 */
export function isWindows1252(bytes: Uint8Array): boolean {
  let before = false;
  for (const byte of bytes) {
    const high = byte >= 0x80;
    if (high && (before || !(isLetter(byte) || signs.has(byte) || typographic.has(byte)))) return false;
    before = high;
  }
  return true;
}

function isLetter(byte: number): boolean {
  return byte >= 0xc0 && byte !== 0xd7 && byte !== 0xf7;
}

/** The text of bytes that `isWindows1252` takes. */
export function windows1252Text(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replaceAll(/[\x80-\x9f]/g, (char) => typographic.get(char.charCodeAt(0)) ?? char);
}
