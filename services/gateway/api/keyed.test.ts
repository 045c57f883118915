import { expect, test } from 'vitest';
import { requestMark } from '#gateway/accounts/request-mark.ts';
import type { Answer } from '#gateway/http/operation.ts';
import { type Refusal, refuse } from '#gateway/refusal.ts';
import { KeyAnswers, keyAnswersMs } from './keyed.ts';

const mark = (asked: string) => requestMark('account', 'key', asked);

function answersOf() {
  let now = 1_000;
  let made = 0;
  const answers = new KeyAnswers(() => now);
  const make = async (): Promise<Answer | Refusal> => {
    made += 1;
    return { status: 201, body: { key: `secret ${made}` } };
  };
  const later = (ms: number) => {
    now += ms;
  };
  return { answers, make, later };
}

test('the same request gets the same keys, also at once, and another is refused', async () => {
  const { answers, make } = answersOf();
  const [first, again] = await Promise.all([answers.once(mark('a'), make), answers.once(mark('a'), make)]);
  expect(first).toEqual({ status: 201, body: { key: 'secret 1' } });
  expect(again).toEqual(first);
  expect(await answers.once(mark('b'), make)).toMatchObject({ refused: 'idempotency_key_reused' });
  expect(await answers.once(undefined, make)).not.toEqual(first);
});

test('keys are forgotten after some minutes', async () => {
  const { answers, make, later } = answersOf();
  const first = await answers.once(mark('a'), make);
  later(keyAnswersMs);
  expect(await answers.once(mark('a'), make)).not.toEqual(first);
});

test('what was refused or failed leaves the key free', async () => {
  const { answers, make } = answersOf();
  expect(await answers.once(mark('a'), async () => refuse('terms_not_agreed'))).toMatchObject({
    refused: 'terms_not_agreed',
  });
  await expect(answers.once(mark('a'), async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await answers.once(mark('b'), make)).toMatchObject({ status: 201 });
});
