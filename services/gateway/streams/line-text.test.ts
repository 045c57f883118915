import { expect, test } from 'vitest';
import { LineText } from './line-text.ts';

test('lines by their numbers, whatever ends them', () => {
  const text = new LineText(1);
  text.append('one\ntwo\r\nthree\rfour\n\nsix');
  expect(text.take(1, 2)).toBe('one\n');
  expect(text.take(2, 4)).toBe('two\r\nthree\r');
  expect(text.take(5, 7)).toBe('\nsix');
});

test('text that comes in pieces, with lines that nobody asks for', () => {
  const text = new LineText(3);
  text.append('three\nfo');
  text.append('ur\nfive\nsi');
  text.skipTo(5);
  text.append('x\n');
  expect(text.take(5, 7)).toBe('five\nsix\n');
  expect(text.take(7, 8)).toBe('');
});
