import { beforeEach, expect, test } from 'vitest';
import { IndexProbe } from './index-probe.ts';
import { MemoryStateStore } from './memory-state-store.ts';
import { Restart } from './stage.ts';

const scope = { name: '3', generation: '7' };
const applied = (position: number) => ({ position, seekOffset: position + 1, writes: [], journal: [] });
let store: MemoryStateStore;
let position: number;
let lost: Error[];
let owned: boolean;
let probe: IndexProbe;

beforeEach(async () => {
  store = new MemoryStateStore();
  await store.activate(scope);
  await store.apply(scope, -1, applied(5));
  position = 5;
  lost = [];
  owned = true;
  probe = new IndexProbe(store);
  const control = { owned: () => owned, fail: (error: unknown) => lost.push(error as Error) };
  probe.watch({
    scope,
    worker: {
      get position() {
        return position;
      },
    },
    control,
  });
});

test('an index that is as the worker left it, or ahead of it, is well', async () => {
  await probe.check();
  await store.apply(scope, 5, applied(9));
  await probe.check();
  expect(lost).toEqual([]);
});

test('a lost generation is told to the worker, and to whoever asks whether it is ready', async () => {
  await store.activate({ ...scope, generation: '8' });
  await expect(probe.check()).rejects.toMatchObject({ code: 'no_index', retryable: true });
  expect(lost).toMatchObject([{ code: 'no_index' }]);
});

test('an index that was put back restarts the worker, which reads on from there', async () => {
  const restore = store.snapshot();
  await store.apply(scope, 5, applied(9));
  position = 9;
  restore();
  await probe.check();
  expect(lost).toHaveLength(1);
  expect(lost[0]).toBeInstanceOf(Restart);
});

test('who does not own the partition any more is not asked', async () => {
  await store.activate({ ...scope, generation: '8' });
  owned = false;
  await probe.check();
  owned = true;
  await probe.check();
  expect(lost).toEqual([]);
});

test('only the latest worker of a scope is asked', async () => {
  const control = { fail: () => lost.push(new Error('new')) };
  probe.watch({ scope: { ...scope, generation: '8' }, worker: { position: -1 }, control });
  await store.activate({ ...scope, generation: '8' });
  await probe.check();
  expect(lost).toEqual([]);
});
