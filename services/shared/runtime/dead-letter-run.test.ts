import { describe, expect, test } from 'vitest';
import { DeadLetterRun, inRowOf, noteOf, type Sign } from './dead-letter-run.ts';

const signs: Readonly<Record<string, Sign>> = { g: 'good', d: 'dead', n: 'neither' };
const signsOf = (text: string) => [...text].map((letter) => signs[letter]!);
const runOf = (inRow: number) => new DeadLetterRun({ stage: 'dedup', max: 3, inRow });

describe('dead letters in a row', () => {
  test.each<[string, number, number]>([
    ['ddd', 0, 3],
    ['dddg', 0, 4],
    ['dddd', 0, 0],
    ['ggdddd', 0, 2],
    ['gdgdgdgd', 0, 8],
    ['dndnd', 0, 5],
    ['dndndnd', 0, 0],
    ['gnndddd', 0, 1],
    ['d', 3, 0],
    ['nd', 3, 0],
    ['gddd', 3, 4],
    ['dgdddd', 2, 2],
    ['', 9, 0],
  ])('of %s after %i in a row, %i may be handled', (text, inRow, admitted) => {
    expect(runOf(inRow).admitted(signsOf(text))).toBe(admitted);
  });

  test('counts what was handled; a good message ends the run, one that shows nothing does not', () => {
    const run = runOf(1);
    run.handled(signsOf('ddn'));
    expect(run.inRow).toBe(3);
    run.handled(signsOf('g'));
    expect(run.inRow).toBe(0);
    run.handled(signsOf('gd'));
    expect(run.inRow).toBe(1);
  });

  test('stops the process, and says what to do', () => {
    expect(runOf(0).tooMany()).toMatchObject({ code: 'too_many_dead_letters', retryable: false });
    expect(runOf(0).tooMany().message).toContain('DEAD_LETTERS_IN_ROW_MAX');
  });

  test.each([[0], [1], [20], [123_456]])('%i is stored beside a position and read again', (inRow) => {
    expect(inRowOf(noteOf(inRow))).toBe(inRow);
  });

  test.each([[null], [undefined], [''], ['dead_in_row='], ['somebody else']])(
    '%s beside a position is none',
    (text) => {
      expect(inRowOf(text)).toBe(0);
    },
  );
});
