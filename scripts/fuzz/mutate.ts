import type { Random } from './random.ts';

type Mutator = (random: Random, bytes: Buffer) => Buffer;

function place(random: Random, bytes: Buffer): number {
  return random.whole(0, bytes.length);
}

function inserted(bytes: Buffer, at: number, more: Buffer | string): Buffer {
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(more as string), bytes.subarray(at)]);
}

/** What happens to files: on the way, in programs, by hand. */
export const mutators: Readonly<Record<string, Mutator>> = {
  flipBits(random, bytes) {
    const copy = Buffer.from(bytes);
    for (let n = random.whole(1, 8); n > 0 && copy.length > 0; n--) {
      const at = random.whole(0, copy.length - 1);
      copy[at] = copy[at]! ^ (1 << random.whole(0, 7));
    }
    return copy;
  },
  randomBytes(random, bytes) {
    const more = Buffer.from(Array.from({ length: random.whole(1, 12) }, () => random.whole(0, 255)));
    return inserted(bytes, place(random, bytes), more);
  },
  truncate: (random, bytes) => bytes.subarray(0, place(random, bytes)),
  cutFront: (random, bytes) => bytes.subarray(random.whole(0, Math.min(bytes.length, 80))),
  cutOut(random, bytes) {
    const at = place(random, bytes);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.whole(1, 60))]);
  },
  quote: (random, bytes) =>
    inserted(bytes, place(random, bytes), random.pick(['"', '""', '","', '"\n', '\n"', '"x'])),
  noQuotes: (_, bytes) => Buffer.from(bytes.toString('latin1').replaceAll('"', ''), 'latin1'),
  delimiters(random, bytes) {
    const [from, to] = random.pick([
      [',', ';'],
      [';', ','],
      [',', '\t'],
      ['\t', ','],
      [',', ',,'],
      [',', '|'],
    ] as const);
    const text = bytes.toString('latin1');
    return Buffer.from(random.chance(0.5) ? text.replaceAll(from, to) : text.replace(from, to), 'latin1');
  },
  lineEnds(random, bytes) {
    const ends = ['\n', '\r\n', '\r', '\n\r', '\r\r\n', '\u2028', '\v', '\f'];
    const text = bytes.toString('utf8');
    return Buffer.from(
      text.replaceAll(/\r\n|\r|\n/g, (end) => (random.chance(0.5) ? random.pick(ends) : end)),
    );
  },
  nuls: (random, bytes) => inserted(bytes, place(random, bytes), Buffer.alloc(random.whole(1, 40))),
  hugeCell(random, bytes) {
    const length = random.pick([99, 100, 101, 1_000, 16_000, 17_000, 40_000, 400_000]);
    return inserted(
      bytes,
      place(random, bytes),
      random.pick(['x', '9', ' ', ',', '"', 'é', '\n']).repeat(length),
    );
  },
  otherEncoding(random, bytes) {
    const text = bytes.toString('utf8');
    return random.pick([
      () => Buffer.from(text, 'latin1'),
      () => Buffer.from(text, 'utf16le'),
      () => Buffer.from(`\ufeff${text}`, 'utf16le'),
      () => Buffer.from(text, 'utf16le').swap16(),
      () => Buffer.from(bytes.toString('latin1')),
      () => Buffer.concat([Buffer.from([0xff, 0xfe]), bytes]),
    ])();
  },
  marks: (random, bytes) => inserted(bytes, random.chance(0.3) ? 0 : place(random, bytes), '\ufeff'),
  joined: (random, bytes) =>
    Buffer.concat([bytes, random.chance(0.5) ? Buffer.from('\n') : Buffer.alloc(0), bytes]),
  repeatedLine(random, bytes) {
    const lines = bytes.toString('latin1').split('\n');
    const line = random.pick(lines);
    return Buffer.from(
      [line, ...lines, ...new Array<string>(random.whole(1, 5)).fill(line)].join('\n'),
      'latin1',
    );
  },
  spreadsheet(random, bytes) {
    const shown = random.pick([
      '1.23E+14',
      '12/05/2024',
      '="0012"',
      "'0012",
      '=1+1',
      '123456789012345000',
      '1E5',
    ]);
    const text = bytes.toString('latin1');
    const every = random.chance(0.5);
    return Buffer.from(
      text.replaceAll(/(?<=[,;\t])[A-Za-z0-9-]{6,}(?=[\r\n]|$)/g, (cell) =>
        every || random.chance(0.2) ? shown : cell,
      ),
      'latin1',
    );
  },
  deepQuotes: (random, bytes) => inserted(bytes, place(random, bytes), '"'.repeat(random.whole(2, 3_000))),
  otherKind: (random, bytes) =>
    Buffer.concat([
      Buffer.from(
        random.pick(['PK\x03\x04', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', '%PDF-', '<html>', '\x1f\x8b']),
        'latin1',
      ),
      bytes,
    ]),
};

const names = Object.keys(mutators);

/** The bytes after one to three mishaps, and which they were. */
export function mutated(
  random: Random,
  bytes: Buffer,
): { readonly bytes: Buffer; readonly by: readonly string[] } {
  const by = Array.from({ length: random.whole(1, 3) }, () => random.pick(names));
  return { bytes: by.reduce((given, name) => mutators[name]!(random, given), bytes), by };
}
