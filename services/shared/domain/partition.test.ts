import { expect, test } from 'vitest';
import { murmur3, partitionOf } from './partition.ts';

test.each([
  ['', 0, 0x00000000],
  ['', 1, 0x514e28b7],
  ['', 0xffffffff, 0x81f16f39],
  ['test', 0, 0xba6bd213],
  ['test', 0x9747b28c, 0x704b81dc],
  ['Hello, world!', 0, 0xc0363e43],
  ['Hello, world!', 0x9747b28c, 0x24884cba],
  ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
  ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
  ['aaa', 0x9747b28c, 0x283e0130],
  ['aa', 0x9747b28c, 0x5d211726],
  ['a', 0x9747b28c, 0x7fa09ea6],
  // Published vector of pi four times over: text beyond ASCII is hashed as UTF-8.
  ['ππππππππ', 0x9747b28c, 0xd58063c1],
] as const)('murmur3 of %j with seed %d', (text, seed, expected) => {
  expect(murmur3(text, seed)).toBe(expected);
});

// Part of the format of the log: these figures never change.
test.each([
  ['panel', 'LR20261000000000', 4, 4],
  ['panel', '', 3, 3],
  ['inverter', 'LR20261000000000', 3, 3],
  ['battery', 'ΑΒΓ 1', 5, 11],
] as const)('the partition of %s %j stays what it is', (product, serial, ofSix, ofTwelve) => {
  expect(partitionOf(product, serial, 6)).toBe(ofSix);
  expect(partitionOf(product, serial, 12)).toBe(ofTwelve);
});

test('serials that count upwards spread evenly', () => {
  const rows = new Array<number>(12).fill(0);
  for (let i = 0; i < 60_000; i++) rows[partitionOf('panel', `LR2026${1_000_000_000 + i}`, 12)]! += 1;
  for (const count of rows) expect(Math.abs(count - 5_000)).toBeLessThan(350);
});
