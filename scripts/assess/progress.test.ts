import { expect, test } from 'vitest';
import { progressOn } from './progress.ts';

function told(isTTY: boolean): string[] {
  const lines: string[] = [];
  const report = progressOn({ isTTY, write: (text: string) => lines.push(text) });
  for (let done = 0; done <= 100_000; done += 5) report('judging', done, 100_000);
  return lines;
}

test('a bar on a terminal, which ends its line when all is done', () => {
  const bars = told(true);
  expect(bars.length).toBeGreaterThan(500);
  expect(bars.at(-1)).toMatch(/\[#{30}\] 100\.0 % {2}100,000 of 100,000 claims\n$/);
  expect(bars.slice(0, -1).every((bar) => bar.startsWith('\r') && !bar.endsWith('\n'))).toBe(true);
});

test('a few plain lines elsewhere', () => {
  const lines = told(false);
  expect(lines).toHaveLength(21);
  expect(lines[10]).toBe('judging: 50 %, 50,000 of 100,000 claims\n');
});
