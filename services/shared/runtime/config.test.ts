import { describe, expect, test } from 'vitest';
import { choice, describeConfig, readConfig, secret, text, whole } from './config.ts';

const settings = {
  url: text('THE_URL', 'where it is'),
  name: text('THE_NAME', 'what it is called', 'nobody'),
  key: secret('THE_KEY', 'what nobody may see', ''),
  count: whole('THE_COUNT', 'how many', { least: 0, most: 10, fallback: 3 }),
  way: choice('THE_WAY', 'how', ['fast', 'slow'], 'fast'),
} as const;

function read(env: Readonly<Record<string, string | undefined>>) {
  return readConfig(settings, env);
}

describe('readConfig', () => {
  test('what is given, and fallbacks for what is not', () => {
    expect(read({ THE_URL: 'http://x', THE_COUNT: '10', THE_WAY: 'slow', OTHER: 'y' })).toEqual({
      config: { url: 'http://x', name: 'nobody', key: '', count: 10, way: 'slow' },
    });
  });

  test('an empty variable is one that is not given', () => {
    expect(read({ THE_URL: 'u', THE_NAME: '', THE_COUNT: '' })).toMatchObject({
      config: { name: 'nobody', count: 3 },
    });
    expect(read({ THE_URL: '' })).toEqual({ faults: ['THE_URL is missing: where it is'] });
  });

  test('all faults together, each with what the setting is for', () => {
    expect(read({ THE_COUNT: '11', THE_WAY: 'Fast' })).toEqual({
      faults: [
        'THE_URL is missing: where it is',
        'THE_COUNT must be a whole number from 0 to 10: how many (0 to 10)',
        'THE_WAY must be one of fast, slow: how (fast, slow)',
      ],
    });
  });

  test('is frozen', () => {
    const result = read({ THE_URL: 'u' });
    expect('config' in result && Object.isFrozen(result.config)).toBe(true);
  });

  test.each([
    ['0', 0],
    ['10', 10],
    ['007', 7],
  ])('a whole number: %j', (given, count) => {
    expect(read({ THE_URL: 'u', THE_COUNT: given })).toMatchObject({ config: { count } });
  });

  test.each([
    '-1',
    '11',
    '1.5',
    ' ',
    '1 ',
    '0x5',
    '1e1',
    '5,0',
    'five',
    'NaN',
    'Infinity',
    '9007199254740993',
  ])('no whole number in the range, and never guessed to be one: %j', (given) => {
    expect(read({ THE_URL: 'u', THE_COUNT: given })).toMatchObject({
      faults: [expect.stringContaining('THE_COUNT must be a whole number from 0 to 10')],
    });
  });
});

test('describeConfig shows every setting with what it is for, and no secret', () => {
  const result = read({ THE_URL: 'u', THE_KEY: 'hidden' });
  if (!('config' in result)) throw new Error('no configuration');
  const shown = describeConfig(settings, result.config);
  expect(shown.split('\n')).toEqual([
    'THE_URL=u  # where it is',
    'THE_NAME=nobody  # what it is called',
    'THE_KEY=***  # what nobody may see',
    'THE_COUNT=3  # how many (0 to 10)',
    'THE_WAY=fast  # how (fast, slow)',
  ]);
  expect(describeConfig(settings, { ...result.config, key: '' })).toContain('THE_KEY=  #');
  const url = 'http://user:hidden@one:8123';
  expect(describeConfig(settings, { ...result.config, url })).toContain('THE_URL=http://***@one:8123  #');
});
