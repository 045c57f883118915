import { expect, test } from 'vitest';
import { derivedId, derivedIdOf, newId, timeOfId } from './ids.ts';

test('a new id is a UUID of version 7 that tells its time', () => {
  const id = newId(1_776_000_000_123);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(timeOfId(id)).toBe(1_776_000_000_123);
  expect(newId(1_776_000_000_123)).not.toBe(id);
});

test('a derived id is a UUID of version 8, the same for the same parts and no others', () => {
  const id = derivedId('account', 'key', 'body', '1');
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(derivedId('account', 'key', 'body', '1')).toBe(id);
  expect(timeOfId(id)).toBeUndefined();
  const others = [
    ['accountk', 'ey', 'body', '1'],
    ['account', 'key', 'body', '2'],
    ['account', 'key', 'body1'],
  ];
  for (const parts of others) expect(derivedId(...parts)).not.toBe(id);
});

test('derived ids never change: a retry after a release must find its submission', () => {
  expect(derivedId('account', 'key', 'body', '1')).toBe('e8b0bfad-dc5e-8421-8643-ece3065ed80b');
});

test('ids of one key begin alike, and differ by what the key came with', () => {
  const [one, two] = [derivedIdOf(['account', 'key'], ['a']), derivedIdOf(['account', 'key'], ['b'])];
  expect(one.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(one.id).not.toBe(two.id);
  for (const { id, beginning } of [one, two])
    expect([id.slice(0, 19), beginning]).toEqual([id.slice(0, 19), one.beginning]);
  expect(derivedIdOf(['account', 'key2'], ['a']).beginning).not.toBe(one.beginning);
});
