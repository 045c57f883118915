import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRegistry } from '#shared/adapters/registry/registry.ts';
import { Codec } from '#shared/codec/codec.ts';
import { releasedVersions, schemaOfTopic } from '#shared/codec/schemas.ts';
import { startTestEngines, type TestEngines } from '#test/support/engines.ts';

let engines: TestEngines;
let url: string;

beforeAll(async () => {
  engines = await startTestEngines('registry');
  url = engines.engines.urls.schemaRegistryUrl;
});

afterAll(async () => {
  await engines?.stop();
});

const subjectOf = () => `test-${randomUUID()}-value`;

function schema(...fields: readonly object[]): string {
  return JSON.stringify({ type: 'record', name: 'Tested', namespace: 'test', fields });
}

const a = { name: 'a', type: 'string' };
const b = { name: 'b', type: 'int', default: 0 };
const c = { name: 'c', type: 'int' };

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`${url}${path}`);
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return (await response.json()) as T;
}

const versionsOf = (subject: string) => get<number[]>(`/subjects/${subject}/versions`);

describe('registration', () => {
  test('is BACKWARD_TRANSITIVE, and the same text has the same id', async () => {
    const subject = subjectOf();
    const registry = openRegistry(url);
    const id = await registry.register(subject, schema(a));
    expect(await registry.register(subject, schema(a))).toBe(id);
    expect(await openRegistry(url).register(subject, schema(a))).toBe(id);
    expect(await versionsOf(subject)).toEqual([1]);
    expect(await get(`/config/${subject}`)).toEqual({ compatibilityLevel: 'BACKWARD_TRANSITIVE' });
    expect(JSON.parse((await get<{ schema: string }>(`/schemas/ids/${id}`)).schema)).toEqual(
      JSON.parse(schema(a)),
    );
  });

  test('a compatible schema is the next version', async () => {
    const subject = subjectOf();
    const registry = openRegistry(url);
    const first = await registry.register(subject, schema(a));
    const second = await registry.register(subject, schema(a, b));
    expect(second).not.toBe(first);
    expect(await versionsOf(subject)).toEqual([1, 2]);
    // A process of the former release starts beside the new one.
    expect(await registry.register(subject, schema(a))).toBe(first);
    expect(await versionsOf(subject)).toEqual([1, 2]);
  });

  test.each<[string, readonly string[], string]>([
    ['a field more, without a default', [schema(a)], schema(a, c)],
    ['another type', [schema(a)], schema({ ...a, type: 'long' })],
    // Compatible with the second version, which dropped c; not with the first.
    [
      'with an older version only (transitive)',
      [schema(a, c), schema(a)],
      schema(a, { ...c, type: 'string', default: '' }),
    ],
  ])('an incompatible schema is refused for good: %s', async (_what, before, text) => {
    const subject = subjectOf();
    const registry = openRegistry(url);
    for (const known of before) await registry.register(subject, known);
    await expect(openRegistry(url).register(subject, text)).rejects.toMatchObject({
      code: 'schema_refused',
      retryable: false,
    });
    expect(await versionsOf(subject)).toHaveLength(before.length);
  });
});

test('eight clients that register the same first schema at once get the same id', async () => {
  for (let round = 0; round < 5; round++) {
    const subject = subjectOf();
    const registries = Array.from({ length: 8 }, () => openRegistry(url));
    const ids = await Promise.all(registries.map((registry) => registry.register(subject, schema(a, b))));
    expect(new Set(ids).size).toBe(1);
    expect(await versionsOf(subject)).toEqual([1]);
    expect(await get(`/config/${subject}`)).toEqual({ compatibilityLevel: 'BACKWARD_TRANSITIVE' });
  }
});

test('four services that start at once on an empty registry agree on every id', async () => {
  const topics = Object.fromEntries(
    Object.entries(schemaOfTopic).map(([topic, name]) => [`test-${randomUUID()}.${topic}`, name]),
  );
  const codecs = await Promise.all([1, 2, 3, 4].map(() => Codec.open(openRegistry(url), topics)));
  for (const name of Object.values(schemaOfTopic)) {
    const ids = codecs.map((codec) => codec.versions(name).map(({ id }) => id));
    expect(new Set(ids.map(String)).size).toBe(1);
    expect(ids[0]).toHaveLength(releasedVersions(name).length);
  }
});

describe('a registry that does not answer is the world', () => {
  test('nobody listens', async () => {
    const nowhere = openRegistry('http://127.0.0.1:1/apis/ccompat/v7');
    await expect(nowhere.register(subjectOf(), schema(a))).rejects.toMatchObject({
      code: 'registry_unavailable',
      retryable: true,
    });
  });

  test('it stopped, and comes back with what it knew', async ({ skip }) => {
    if (engines.engines.way !== 'processes') return skip('the registry is not ours to stop');
    const subject = subjectOf();
    const registry = openRegistry(url);
    const id = await registry.register(subject, schema(a));
    engines.engines.kill('registry', 'SIGKILL');
    await expect(openRegistry(url).register(subject, schema(a))).rejects.toMatchObject({
      code: 'registry_unavailable',
      retryable: true,
    });
    await engines.engines.restart('registry');
    expect(await openRegistry(url).register(subject, schema(a))).toBe(id);
  });
});
