import { expect, test } from 'vitest';
import { currentText, type DeclarationText, declarationTexts, textKinds } from './texts.ts';

const version = (id: string, from: string): DeclarationText => ({
  id,
  kind: 'file_upload',
  from,
  title: 't',
  text: id,
});

test.each([
  ['2025-12-31', undefined],
  ['2026-01-01', 'first'],
  ['2026-06-30', 'first'],
  ['2026-07-01', 'second'],
  ['2030-01-01', 'second'],
])('on %s the wording is %s', (day, id) => {
  const texts = [version('second', '2026-07-01'), version('first', '2026-01-01')];
  expect(currentText('file_upload', day, texts)?.id).toBe(id);
  expect(currentText('api_users', day, texts)).toBeUndefined();
});

test('each kind has a wording, each version a name of its own', () => {
  for (const kind of textKinds) expect(currentText(kind, '2026-11-24')?.kind).toBe(kind);
  expect(new Set(declarationTexts.map(({ id }) => id)).size).toBe(declarationTexts.length);
});

test('declarations say what the guidance asks for (B2)', () => {
  const declarations = declarationTexts.filter(({ kind }) => kind !== 'terms_of_use');
  expect(declarations.length).toBeGreaterThan(1);
  for (const { text } of declarations) {
    expect(text).toContain('all reasonable steps');
    expect(text).toContain('all reasonable enquiries');
    expect(text).toContain('to confirm the truth and accuracy of the data provided by Approved Entities');
  }
});
