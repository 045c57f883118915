import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalise } from '#shared/domain/normalise.ts';
import { examineCell, examineModel, examineSerial } from './cells.ts';

// What passes, and what nearly passes, in the order of the rules (section 12).
test.each([
  ['1.23E+14', 'serial_in_scientific_notation'],
  ['1,23e+14', 'serial_in_scientific_notation'],
  ['1E14', 'serial_in_scientific_notation'],
  ['5E-05', 'serial_in_scientific_notation'],
  ['1.0E12', 'serial_in_scientific_notation'],
  ['="1.23E+14"', 'serial_in_scientific_notation'],
  ['12/05/2024', 'serial_is_date'],
  ['1-5-24', 'serial_is_date'],
  ['31.12.2024 00:00', 'serial_is_date'],
  ['2024-05-12', 'serial_is_date'],
  ['2024/05/12 0:00:00', 'serial_is_date'],
  ['12-May', 'serial_is_date'],
  ['12-MAY-24', 'serial_is_date'],
  ['MAR-60', 'serial_is_date'],
  ['September 2024', 'serial_is_date'],
  ['=A1+B1', 'cell_is_formula'],
  ['="A1', 'cell_is_formula'],
  ['=""', 'cell_empty'],
  ["'", 'cell_empty'],
  ['S1;S2', 'serial_has_separator'],
  ['S\u200b1', 'cell_has_control_character'],
  ['S\u00001', 'cell_has_control_character'],
  ['S\ufffd1', 'cell_text_lost'],
  ['S\ud8001', 'cell_text_lost'],
])('serial %j: %s, and no key', (text, fault) => {
  expect(examineSerial(text)).toMatchObject({ fault, key: '' });
});

test.each([
  ['1234567890123450000', ['serial_digits_rounded']],
  ['1234567890123000', ['serial_digits_rounded']],
  ['100E10', ['serial_looks_like_exponent']],
  ['7E123456', ['serial_looks_like_exponent']],
  ['="00123"', ['wrapper_removed'], '00123'],
  ["'00123", ['wrapper_removed'], '00123'],
  ['="a""b1"', ['wrapper_removed'], 'a"b1'],
  ['S\u00a01', ['special_space_folded']],
  ['S1\u3000', ['special_space_folded']],
  ['aB1', ['serial_has_mixed_case']],
  ['=" aB\u00a01"', ['wrapper_removed', 'special_space_folded', 'serial_has_mixed_case'], ' aB\u00a01'],
])('serial %j is kept with %j', (given, notes, text = given) => {
  expect(examineSerial(given)).toMatchObject({ fault: '', notes, text, key: normalise(text) });
});

test.each([
  'ABC123456',
  'LE7E10',
  'E123',
  '123456789012000',
  '1234567890123400',
  '12-34-5678',
  '13-13-2024',
  '2024-13-01',
  '12-05-20241',
  'MAR-600',
  'MARS-60A',
  'ABC-DEC-24',
  'abc1',
  'S 1',
  "S'1",
  'A=1',
  '1.23E+14X',
])('serial %j is in order', (text) => {
  expect(examineSerial(text)).toEqual(expect.objectContaining({ fault: '', notes: [], text }));
});

test('models: an apostrophe is taken off, a date is for the approved list to judge', () => {
  expect(examineModel("'MAR-60")).toMatchObject({
    text: 'MAR-60',
    fault: '',
    notes: ['wrapper_removed', 'model_looks_like_date'],
  });
  expect(examineModel('1.23E+14')).toMatchObject({ fault: '', notes: [] });
});

test('names may begin with an apostrophe, and are unwrapped all the same', () => {
  expect(examineCell("'s-Hertogenbosch Solar BV")).toMatchObject({ fault: '', notes: [] });
  expect(examineCell('="Sun GmbH"')).toMatchObject({
    text: 'Sun GmbH',
    key: 'SUN GMBH',
    notes: ['wrapper_removed'],
  });
});

test('the short way for ordinary serials says what the long way says', () => {
  const serial = fc.string({
    unit: fc.constantFrom(
      'A',
      'E',
      '7',
      '0',
      '1',
      '2',
      '-',
      '/',
      '.',
      '+',
      ' ',
      'e',
      'x',
      ';',
      '=',
      '"',
      "'",
      '_',
      'é',
    ),
    maxLength: 18,
  });
  fc.assert(
    fc.property(serial, (text) => {
      const facts = examineSerial(text);
      // A model may hold whatever a serial may: the general faults of both are the same.
      const general = examineModel(text);
      if (general.fault !== '') expect(facts.fault).toBe(general.fault);
      expect(facts.text).toBe(general.text);
      expect(facts.key).toBe(facts.fault === '' ? normalise(facts.text) : '');
      expect(facts.bytes).toBe(general.bytes);
    }),
    { numRuns: 2_000 },
  );
});
