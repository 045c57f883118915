import { expect, test } from 'vitest';
import { isRefusal } from '#gateway/refusal.ts';
import { UploadGate } from './upload-gate.ts';

const enter = (gate: UploadGate, account: string, bytes = 10) => {
  const entered = gate.enter(account, bytes);
  return isRefusal(entered) ? entered.refused : entered;
};

test('an account has so many places, all have so many together', () => {
  const gate = new UploadGate({ openMax: 4, accountMax: 3, bytesMax: 1_000 });
  const leave = enter(gate, 'a');
  enter(gate, 'a');
  enter(gate, 'a');
  expect(enter(gate, 'a')).toBe('uploads_too_many');
  expect(enter(gate, 'b')).toBeTypeOf('function');
  expect(enter(gate, 'c')).toBe('overloaded');
  if (typeof leave === 'function') for (let i = 0; i < 2; i++) leave();
  expect(enter(gate, 'c')).toBeTypeOf('function');
  expect(enter(gate, 'c')).toBe('overloaded');
});

test('an account has half of the memory, and nobody is kept out for ever', () => {
  const gate = new UploadGate({ openMax: 9, accountMax: 9, bytesMax: 100 });
  expect(enter(gate, 'a', 40)).toBeTypeOf('function');
  expect(enter(gate, 'a', 40)).toBe('uploads_too_many');
  expect(enter(gate, 'b', 50)).toBeTypeOf('function');
  expect(enter(gate, 'c', 20)).toBe('overloaded');
  const big = new UploadGate({ openMax: 9, accountMax: 9, bytesMax: 100 });
  expect(enter(big, 'a', 400)).toBeTypeOf('function');
});
