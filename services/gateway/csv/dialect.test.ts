import { expect, test } from 'vitest';
import { dialectOf } from './dialect.ts';

test.each([
  ['Supplier name,Model number\n', ','],
  ['Supplier name;Model number\n1,5;2,5\n', ';'],
  ['Supplier name\tModel number\r\n', '\t'],
  ['\n \r\n;;\n"Supplier; name",Model\n', ','],
  ['"Supplier\nname";"a,b,c,d"\n', ';'],
  ['no headings at all\n', ','],
  ['', ','],
])('%j: the sign that separates headings', (text, delimiter) => {
  expect(dialectOf(text)).toEqual({ delimiter, from: 0, line: 1 });
});

test.each(['sep=;\r\n', 'SEP=;\n', '"sep=;"\r\n'])('%j says it, and is no record', (first) => {
  expect(dialectOf(`${first}Supplier name;Model\n`)).toEqual({ delimiter: ';', from: first.length, line: 2 });
});
