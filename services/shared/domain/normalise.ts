/** Rises when `normalise` changes: published lists are found by keys that it made. */
export const normalisationVersion = 1;

/** Rises when `normalise`, the reading of files or the batching changes: derived submission ids depend on it (K4). */
export const batchingVersion = 2;

const plain = /^[!-`{-~]*$/;

/**
 * What identities are compared by (SER-2): NFKC, trimmed, inner white space as one space, upper case.
 * NFKC is taken again after the change of case, since upper-casing can leave a text that NFKC would change:
 * a second `normalise` must change nothing.
 */
export function normalise(text: string): string {
  // Most serials are upper-case ASCII without spaces already; the test is much cheaper than the transformation.
  if (plain.test(text)) return text;
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const folded = fold(text);
  if (remembered.size >= rememberedMost) remembered.clear();
  remembered.set(text, folded);
  return folded;
}

/** Names of brands and models are few, and come with every serial. */
const remembered = new Map<string, string>();
const rememberedMost = 10_000;

function fold(text: string): string {
  return text.normalize('NFKC').toUpperCase().normalize('NFKC').replace(/\s+/gu, ' ').trim();
}
