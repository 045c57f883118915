import { expect, test } from 'vitest';
import { FairQueue } from './fair-queue.ts';

/** Pieces of work that end when they are told to; the names of those that have begun. */
function workOf(queue: FairQueue) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const bring = (name: string) =>
    queue.run(name[0]!, () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string) => {
    ends.get(name)!();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begun, bring, end };
}

test('by turns: one piece does not wait for two hundred of another', async () => {
  const { begun, bring, end } = workOf(new FairQueue(2));
  for (const name of ['a1', 'a2', 'a3', 'a4', 'a5', 'b1', 'b2', 'c1']) void bring(name);
  expect(begun).toEqual(['a1', 'a2']);
  for (const name of ['a1', 'a2', 'a3', 'b1', 'c1', 'a4', 'b2']) await end(name);
  expect(begun).toEqual(['a1', 'a2', 'a3', 'b1', 'c1', 'a4', 'b2', 'a5']);
});

test('a piece that fails gives its place on', async () => {
  const queue = new FairQueue(1);
  const failing = queue.run('a', async () => Promise.reject(new Error('no')));
  const next = queue.run('a', async () => 'done');
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('done');
  expect(await queue.run('b', async () => 'later')).toBe('later');
});
