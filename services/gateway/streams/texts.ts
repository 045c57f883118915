import { firstBytes, Utf8Reader } from '#gateway/csv/utf8.ts';
import type { Refusal } from '#gateway/refusal.ts';

/** The text of bytes as they come: at least `firstChars` at first, unless there are fewer; a refusal is the end. */
export async function* textsOf(
  bytes: AsyncIterable<Buffer>,
  firstChars: number,
): AsyncGenerator<string | Refusal, void> {
  const utf8 = new Utf8Reader();
  let held = '';
  let begun = false;
  for await (const piece of fromFirst(bytes)) {
    const { text, refusal } = utf8.read(piece);
    held += text;
    if (refusal) {
      if (held !== '') yield held;
      return yield refusal;
    }
    if (!begun && held.length < firstChars) continue;
    begun = true;
    yield held;
    held = '';
  }
  const broken = utf8.end();
  if (broken) return yield broken;
  if (held !== '') yield held;
}

/** The same bytes; those by which other kinds of files are told come together. */
async function* fromFirst(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let held: Buffer | undefined = Buffer.alloc(0);
  for await (const piece of bytes) {
    if (!held) {
      yield piece;
      continue;
    }
    held = Buffer.concat([held, piece]);
    if (held.length < firstBytes) continue;
    yield held;
    held = undefined;
  }
  if (held && held.length > 0) yield held;
}
