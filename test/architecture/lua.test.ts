import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const scripts = globSync('services/**/*.lua', { cwd: root }).sort();

test('finds the scripts', () => {
  expect(scripts.map((file) => path.basename(file))).toEqual(
    expect.arrayContaining(['apply.lua', 'lists.lua', 'read.lua', 'start.lua', 'trim.lua']),
  );
});

test.each(scripts)('%s touches no key but those it declares (D1)', (file) => {
  const text = readFileSync(path.join(root, file), 'utf8').replace(/--.*$/gm, '');
  const calls = [...text.matchAll(/redis\.p?call\(\s*([^,()]+),\s*([^,()]+)/g)];
  expect(calls.length).toBe([...text.matchAll(/\bp?call\b/g)].length);
  expect(calls.map(([, , key]) => key).filter((key) => !/^KEYS\[\w+\]$/.test(key!.trim()))).toEqual([]);
});

test.each(scripts)('%s is a function of keys and arguments: no clock, no chance', (file) => {
  const text = readFileSync(path.join(root, file), 'utf8');
  expect(text).not.toMatch(/math\.random|'TIME'|RANDOMKEY|os\.|SRANDMEMBER|HRANDFIELD/);
});
