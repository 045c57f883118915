import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { reasons, requestReason } from './reasons.ts';
import { outcomes } from './serials.ts';

const services = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

function sources(): string {
  return readdirSync(services, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.test)\.ts$/.test(entry.name) && entry.name !== 'reasons.ts')
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
}

test('each code stands in the catalogue once', () => {
  const codes = reasons.map(({ code }) => code);
  expect(codes).toEqual([...new Set(codes)]);
});

test.each(reasons)('$code is documented: one sentence, and what to do', ({ code, sentence, hint }) => {
  expect(code).toMatch(/^[a-z0-9]+(_[a-z0-9]+)*$/);
  expect(sentence).toMatch(/^[A-Z][^.!?]*\.$/);
  expect(hint).toMatch(/^[A-Z].*\.$/);
});

test('each code is used', () => {
  const text = sources();
  expect(reasons.map(({ code }) => code).filter((code) => !text.includes(`'${code}'`))).toEqual([]);
});

test('each outcome of a row is in the catalogue', () => {
  const documented = reasons.filter(({ kind }) => kind === 'outcome').map(({ code }) => code);
  expect(documented.sort()).toEqual([...outcomes].sort());
});

test('what refuses a request has an HTTP status, and nothing else has', () => {
  for (const { code, kind, status } of reasons)
    expect([code, status !== undefined && status >= 400 && status < 600]).toEqual([code, kind === 'request']);
  expect(requestReason('too_many_rows').status).toBe(413);
});
