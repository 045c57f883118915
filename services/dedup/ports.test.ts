import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Codec } from '#shared/codec/codec.ts';
import type { ListedTail } from '#shared/domain/batches.ts';
import { grouped, type SentBatch } from '#shared/domain/records.ts';
import type { InMessage } from '#shared/runtime/stage.ts';
import { batchOf, layout, listed, row } from '#test/support/dedup.ts';
import { recordOf } from '#test/support/serial-record.ts';
import { Decider } from './decider.ts';
import type { Incoming } from './partition.ts';
import { batchReader } from './ports.ts';

let ids = 1;
const codec = await Codec.open({ register: async () => ids++ }, { 'serials.listed': 'ListedBatch' });
const read = batchReader(codec);
const records = grouped(
  Array.from({ length: 12 }, (_, i) => {
    const finding = i === 7 ? 'serial_missing' : '';
    return recordOf(
      { supplier: 'Sup', holder: `Hold ${i % 3}`, model: `M${i % 3}`, serial: `S${i}`, finding },
      i + 1,
    );
  }),
);
const message = codec.encoder<SentBatch & ListedTail>('ListedBatch').encode({
  submission: '019d0000-0000-7000-8000-000000000001',
  batch: 0,
  account: 'a',
  supplier: 'Sup',
  channel: 'csv',
  product: 'panel',
  action: 'register',
  received_at: 1_776_000_000_000,
  records,
  origin: 5,
  snapshot: 's',
  listings: records.map(({ repeats }) => ({ finding: repeats ? '' : 'listed', note: '' })),
});

test('a message is read whole', () => {
  expect(read(message)?.records.map((record) => record.row)).toEqual(records.map((record) => record.row));
});

test('whatever bits of a message are wrong, it is wrong data or can be decided', () => {
  const place: InMessage = listed(5, batchOf([row('S')]), { origin: 5, submission: 1 });
  const decider = new Decider(layout);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(message.length - 6), fc.nat(7)), { minLength: 1, maxLength: 3 }),
      (flips) => {
        const damaged = Buffer.from(message);
        for (const [at, bit] of flips) damaged[5 + at]! ^= 1 << bit;
        const batch = read(damaged);
        if (!batch) return;
        const headers = { submission: '019d0000-0000-7000-8000-000000000001', batch: 0 };
        const plan = decider.plan([{ offset: 5, headers, value: damaged, raw: place, batch } as Incoming]);
        const values = plan.reads.map((one) =>
          (one.kind === 'hash' ? one.fields : one.members).map(() => null),
        );
        const [verdict] = decider.decide(plan, values).results;
        const decisions = verdict!.kind === 'decided' ? verdict!.decisions : [];
        expect(decisions.filter(Boolean)).toHaveLength(batch.records.length);
      },
    ),
    { numRuns: 5_000 },
  );
});
