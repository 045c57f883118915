import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SharedKeys } from './shared-keys.ts';

test('whoever names what another record names is found, at any size', () => {
  const records = fc.array(fc.array(fc.nat({ max: 3_000 }).map(String), { maxLength: 8 }), {
    maxLength: 400,
  });
  fc.assert(
    fc.property(records, (named) => {
      const shared = new SharedKeys();
      named.forEach((keys, i) => {
        for (const key of keys) shared.add(key, i + 1);
      });
      const owners = new Map<string, Set<number>>();
      named.forEach((keys, i) => {
        for (const key of keys) owners.set(key, (owners.get(key) ?? new Set()).add(i + 1));
      });
      const sharing = new Set([...owners.values()].filter(({ size }) => size > 1).flatMap((of) => [...of]));
      expect(named.map((_, i) => shared.shares(i + 1))).toEqual(named.map((_, i) => sharing.has(i + 1)));
    }),
    { numRuns: 50 },
  );
});

test('a table that has grown many times still knows its keys', () => {
  const shared = new SharedKeys();
  for (let i = 0; i < 200_000; i++) shared.add(`KEY-${i}`, i + 1);
  expect(shared.sharing).toBe(0);
  for (let i = 0; i < 200_000; i += 1_000) shared.add(`KEY-${i}`, 300_000);
  expect(shared.sharing).toBe(201);
  expect([shared.shares(1), shared.shares(2), shared.shares(1_001)]).toEqual([true, false, true]);
});
