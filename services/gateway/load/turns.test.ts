import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Turns } from './turns.ts';

const large = 350_000;

/** A reading of some slices, which says when it does each. */
async function read(name: string, slices: number, pause: () => Promise<void>, done: string[]): Promise<void> {
  for (let i = 0; i < slices; i++) {
    await pause();
    done.push(name);
  }
}

describe('turns of files that are read in slices', () => {
  test('two files at a time, in the order in which they came', async () => {
    const turns = new Turns(() => 0);
    const done: string[] = [];
    await Promise.all(['a', 'b', 'c'].map((name) => read(name, 3, turns.of(large), done)));
    expect(done.join('')).toBe('abababccc');
  });

  test('a small one that comes later goes before', async () => {
    let now = 0;
    const turns = new Turns(() => now);
    const done: string[] = [];
    const first = Array.from({ length: 4 }, () => read('L', 5, turns.of(large), done));
    await setImmediate();
    now = 1_000;
    await Promise.all([...first, read('s', 2, turns.of(200), done)]);
    expect(done.lastIndexOf('s')).toBeLessThan(8);
  });

  test('one that has waited long enough goes before small ones that come later', async () => {
    let now = 0;
    const turns = new Turns(() => now);
    const done: string[] = [];
    const pause = turns.of(100 * large);
    now = 10_000;
    const small = Array.from({ length: 4 }, () => read('s', 2, turns.of(200), done));
    await Promise.all([...small, read('L', 2, pause, done)]);
    expect(done.join('').slice(0, 4)).toBe('LsLs');
  });

  test('between two slices the event loop turns', async () => {
    const turns = new Turns(() => 0);
    let turned = 0;
    const immediates = (async () => {
      for (let i = 0; i < 6; i++) {
        await setImmediate();
        turned += 1;
      }
    })();
    const done: string[] = [];
    await Promise.all([1, 2, 3].map((name) => read(String(name), 2, turns.of(10), done)));
    expect(turned).toBeGreaterThanOrEqual(3);
    await immediates;
  });

  test('one that begins when all have ended is served', async () => {
    const turns = new Turns(() => 0);
    const done: string[] = [];
    await read('a', 2, turns.of(1), done);
    await read('b', 2, turns.of(1), done);
    expect(done.join('')).toBe('aabb');
  });
});
