import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { assessEntitlement } from '#shared/domain/entitlement/index.ts';

const own = path.join(import.meta.dirname, 'golden.csv');
const given = path.resolve(import.meta.dirname, '../../../shared/golden/stc_examples.csv');

/** The examples by heading; only the last column may be quoted or hold commas. */
function examples(file: string): readonly Readonly<Record<string, string>>[] {
  const [head = '', ...lines] = readFileSync(file, 'utf8').trim().split(/\r?\n/);
  const names = head.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    const last = cells.slice(names.length - 1).join(',');
    return Object.fromEntries(
      names.map((name, index) => [name, index === names.length - 1 ? last : (cells[index] ?? '')]),
    );
  });
}

describe.each([own, given].filter((file) => existsSync(file)))('%s', (file) => {
  test('has examples', () => {
    expect(examples(file).length).toBeGreaterThanOrEqual(9);
  });

  test.each(examples(file))(
    '$system_type $install_date: $expected_stcs ($source)',
    ({ expected_stcs, ...input }) => {
      const result = assessEntitlement(input);
      expect(result.outcome).toBe('eligible');
      expect(String(result.stcs)).toBe(expected_stcs);
    },
  );
});

test('our copy of the examples is there', () => {
  expect(existsSync(own)).toBe(true);
});
