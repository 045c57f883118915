import { expect, test } from 'vitest';
import { ineligibleModel, ineligibleSerial, type RulingFacts, resolutionOf } from './ruling.ts';

const blank: RulingFacts = {
  kind: '',
  product: 'panel',
  holder_key: 'H',
  model_key: '',
  serial_key: '',
  reason: 'because',
  from_day: '',
  held_by: '',
  disputed_by: [],
};
const model = (kind: string, more: Partial<RulingFacts> = {}) => ({
  ...blank,
  kind,
  model_key: 'M',
  ...more,
});
const key = { product: 'panel', holder_key: 'H', model_key: 'M' };

test.each([
  ['no ruling', [], ''],
  ['declared', [model('model_ineligible')], 'because'],
  ['declared, and taken back', [model('model_ineligible'), model('model_eligible')], ''],
  ['taken back, and declared again', [model('model_eligible'), model('model_ineligible')], 'because'],
  ['from that day on', [model('model_ineligible', { from_day: '2026-03-02' })], 'because'],
  ['from the day after', [model('model_ineligible', { from_day: '2026-03-03' })], ''],
  ['another holder', [model('model_ineligible', { holder_key: 'H2' })], ''],
  ['another product', [model('model_ineligible', { product: 'inverter' })], ''],
])('a model, %s', (_, rulings, reason) => {
  expect(ineligibleModel(rulings, key, '2026-03-02')).toBe(reason);
});

const serial = (kind: string, more: Partial<RulingFacts> = {}) => ({
  ...blank,
  kind,
  holder_key: '',
  serial_key: 'S',
  ...more,
});

test('a serial: the latest ruling on it counts, and no other serial is meant', () => {
  const asked = { product: 'panel', serial_key: 'S' };
  expect(ineligibleSerial([serial('serial_ineligible')], asked)).toBe('because');
  expect(ineligibleSerial([serial('serial_ineligible'), serial('serial_eligible')], asked)).toBeUndefined();
  expect(ineligibleSerial([serial('serial_ineligible', { serial_key: 'S2' })], asked)).toBeUndefined();
});

test('a conflict is settled between the parties named; a new party or holder opens it again', () => {
  const dispute = { product: 'panel', holder_key: 'H', serial_key: 'S', held_by: 'A', disputed_by: ['B'] };
  const resolved = { ...blank, kind: 'conflict_resolved', serial_key: 'S', held_by: 'A', disputed_by: ['B'] };
  const reopened = { ...resolved, kind: 'conflict_reopened' };
  expect(resolutionOf([], dispute)).toBeUndefined();
  expect(resolutionOf([resolved], dispute)).toBe(resolved);
  expect(resolutionOf([resolved], { ...dispute, disputed_by: ['B', 'C'] })).toBeUndefined();
  expect(resolutionOf([resolved], { ...dispute, held_by: 'B' })).toBeUndefined();
  expect(resolutionOf([resolved], { ...dispute, holder_key: 'H2' })).toBeUndefined();
  expect(resolutionOf([resolved, reopened], dispute)).toBeUndefined();
  expect(resolutionOf([resolved, reopened, resolved], dispute)).toBe(resolved);
});
