import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowsByRecord } from './by-record.ts';

interface Row {
  readonly record: number;
  readonly text: string;
}

async function* batches(rows: readonly Row[], size: number): AsyncGenerator<readonly Row[], void> {
  for (let from = 0; from < rows.length; from += size) yield rows.slice(from, from + size);
}

test('each record gets its rows, by whatever ways and in whatever pieces they come', async () => {
  const way = fc.record({ records: fc.array(fc.nat({ max: 30 })), size: fc.integer({ min: 1, max: 7 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(way, { maxLength: 3 }), fc.integer({ min: 1, max: 3 }), async (ways, step) => {
      const sorted = ways.map(({ records, size }, w) => ({
        size,
        rows: [...records].sort((a, b) => a - b).map((record, i) => ({ record, text: `${w}-${i}` })),
      }));
      const found = new RowsByRecord(sorted.map(({ rows, size }) => batches(rows, size)));
      for (let record = 0; record <= 31; record += step) {
        const expected = sorted.flatMap(({ rows }) => rows.filter((row) => row.record === record));
        expect(await found.take(record)).toEqual(expected);
      }
      await found.close();
    }),
  );
});

test('a failure is met by whoever takes, not before', async () => {
  async function* broken(): AsyncGenerator<readonly Row[], void> {
    yield [{ record: 1, text: 'a' }];
    throw new Error('gone');
  }
  const found = new RowsByRecord([broken()]);
  await expect(found.take(2)).rejects.toThrow('gone');
});
