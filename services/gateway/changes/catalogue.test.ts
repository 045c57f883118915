import { expect, test } from 'vitest';
import { catalogue } from '#test/support/catalogue.ts';
import { findEntry, parseCatalogue } from './catalogue.ts';

const reason = (id: string, label: string, needs_note?: boolean) => ({
  id,
  label,
  ...(needs_note === undefined ? {} : { needs_note }),
});
const good = {
  source: 'ours',
  invalidation_reasons: [reason('wrong', 'Wrong'), reason('other', 'Other', true)],
  status_reasons: [reason('theft', 'Reported stolen'), reason('other', 'Other', true)],
  statuses: [{ id: 'missing', label: 'Missing', reasons: ['theft', 'other'] }],
};

test('the catalogue that is shipped says whose it is, and has Other, which needs a text', () => {
  expect(catalogue.source).toMatch(/own/);
  expect(findEntry(catalogue.invalidationReasons, 'other')).toMatchObject({
    label: 'Other',
    needsNote: true,
  });
  expect(catalogue.statuses.every(({ reasons }) => reasons.length > 0)).toBe(true);
});

test('an entry is found by its id or its label, whatever the case', () => {
  const { statuses, statusReasons } = parseCatalogue(JSON.stringify(good));
  expect(findEntry(statuses, ' MISSING ')?.reasons).toEqual(statusReasons);
  expect(findEntry(statusReasons, 'reported  STOLEN')?.id).toBe('theft');
  expect(findEntry(statusReasons, 'stolen')).toBeUndefined();
});

test.each([
  ['is no JSON', '{', /JSON/],
  ['has a member too many', { ...good, more: 1 }, /more|additional/i],
  ['lacks a list', { ...good, statuses: undefined }, /statuses/],
  ['has an id that is no id', { ...good, status_reasons: [reason('A b', 'X')] }, /pattern/],
  [
    'says the same of two',
    { ...good, status_reasons: [...good.status_reasons, reason('gone', ' reported stolen'.trim())] },
    /called the same/,
  ],
  ['has no Other', { ...good, invalidation_reasons: [reason('wrong', 'Wrong')] }, /Other/],
  ['has an Other without a text', { ...good, invalidation_reasons: [reason('other', 'Other')] }, /Other/],
  [
    'names a reason that there is not',
    { ...good, statuses: [{ id: 'missing', label: 'Missing', reasons: ['lost'] }] },
    /lost/,
  ],
])('a catalogue that %s is not taken', (_, file, message) => {
  expect(() => parseCatalogue(typeof file === 'string' ? file : JSON.stringify(file))).toThrow(message);
});
