import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { gatewaySettings } from '#gateway/config.ts';
import type { Operation } from '#gateway/http/operation.ts';
import { kafkaSettings } from '#shared/adapters/kafka/settings.ts';
import { type Config, readConfig } from '#shared/runtime/config.ts';
import { clickhouseSettings } from '#shared/runtime/engine-settings.ts';
import { limitsOf } from './limits.ts';

const gateway = fileURLToPath(new URL('..', import.meta.url));

/** Settings that limit nobody. */
const noLimits = new Set([
  ...Object.keys(kafkaSettings),
  ...Object.keys(clickhouseSettings),
  'port',
  'catalogueFile',
  'operatorKeySha256',
  'lastDayOfDeclaration',
]);
/** Settings whose value is no single number, with what is shown of one. */
const composed: Readonly<Record<string, readonly [string, readonly number[]]>> = {
  rowLimits: ['csv=4001, json=4002, csv:vsp=903', [4_001, 4_002, 903]],
  damagePercentMax: ['37', [0.37]],
};

const engines = { KAFKA_BROKERS: 'localhost:9092', CLICKHOUSE_URL: 'http://localhost:8123' };
const read = (env: Readonly<Record<string, string>>) => readConfig(gatewaySettings, { ...engines, ...env });

function configOf(env: Readonly<Record<string, string>>): Config<typeof gatewaySettings> {
  const found = read(env);
  if ('faults' in found) throw new Error(found.faults.join('\n'));
  return found.config;
}

/** Another value than the usual one that the setting takes. */
function another(env: string): string {
  for (let number = 17; ; number = number * 3 + 1) {
    if ('config' in read({ [env]: String(number) })) return String(number);
    if (number > 1e9) throw new Error(`no number suits ${env}`);
  }
}

describe('GET /v1/limits', () => {
  it.each(Object.entries(gatewaySettings).filter(([name]) => !noLimits.has(name)))(
    'shows %s as it is configured',
    (name, { env }) => {
      const [text, shown] = composed[name] ?? [another(env), [Number(another(env))]];
      const usual = new Set(numbersOf(limitsOf(configOf({}), [])));
      const found = new Set(numbersOf(limitsOf(configOf({ [env]: text }), [])));
      for (const number of shown)
        expect([name, found.has(number), usual.has(number)]).toEqual([name, true, false]);
    },
  );

  it('shows what each operation has of its own', () => {
    const operation = {
      id: 'shown',
      body: { kind: 'json', bytesMax: 123, schema: {} },
      query: { properties: { limit: { maximum: 45 }, wait_ms: { maximum: 6_789 } } },
      perMinuteMax: 10,
    } as unknown as Operation;
    const other = { id: 'other' } as Operation;
    expect(limitsOf(configOf({}), [operation, other]).operations).toEqual({
      shown: { body_bytes: 123, page: 45, wait_ms: 6_789, requests_per_minute: 10 },
    });
  });
});

/** Constants that bound what the process itself keeps or does, or that are shown with their operation. */
const inward: Readonly<Record<string, string>> = {
  attemptsMax: 'how often the same is written again',
  bodyBytesMax: 'with its operation',
  catalogueIdCharsMax: 'of the ids that a catalogue is made with',
  candidatesMax: 'what a search looks at for a page',
  errorsMax: 'how many faults a refusal names',
  jsonBytesMax: 'with its operation',
  limitMax: 'with its operation',
  listMax: 'with its operation',
  pageMax: 'with its operation',
  placesMax: 'what the history looks at for a page',
  reasonCharsMax: 'in the schema of its body',
  recentMax: 'memory of what was done last',
  rememberedMax: 'memory of what was done last',
  sendBytesMax: 'of one send to Kafka',
  streamsMax: 'memory of what was done last',
  textCharsMax: 'in the schema of its body',
  waitingBytesMax: 'of an answer that is not read yet',
  waitMsMax: 'with its operation',
};

it('whatever else limits anybody is shown: every constant that is called so', () => {
  const declared = new Set<string>();
  for (const entry of readdirSync(gateway, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/(?<!\.test)\.ts$/.test(entry.name)) continue;
    const text = readFileSync(path.join(entry.parentPath, entry.name), 'utf8');
    for (const [, name] of text.matchAll(/^(?:export )?const (\w*Max)\b/gm)) declared.add(name!);
  }
  const shown = readFileSync(path.join(gateway, 'api', 'limits.ts'), 'utf8');
  const hidden = [...declared].filter(
    (name) => !(name in inward) && !new RegExp(`\\b${name}\\b`).test(shown),
  );
  expect(hidden).toEqual([]);
  expect(Object.keys(inward).filter((name) => !declared.has(name))).toEqual([]);
});

function numbersOf(value: unknown): readonly number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersOf) : [];
}
