import { pino } from 'pino';
import { Compile } from 'typebox/schema';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createServer } from '#gateway/http/server.ts';
import { computeEntitlementFromJson, ruleSetVersion } from '#shared/domain/entitlement/index.ts';
import { calculationsMax, entitlementEndpoints } from './entitlements.ts';

const perMinuteMax = 20;
const solar = { system_type: 'solar', postcode: '2315', kw: 2.5, install_date: '2009-04-09' };

let server: Awaited<ReturnType<typeof createServer>>;
beforeEach(async () => {
  server = await createServer({
    endpoints: entitlementEndpoints({ perMinuteMax }),
    log: pino({ level: 'silent' }),
    // Public: it answers while no account is known.
    ready: () => false,
    identify: () => undefined,
    load: { uploadsMax: 1 },
  });
});
afterEach(() => server.close());

interface Answer {
  readonly rule_set: string;
  readonly results: readonly Readonly<Record<string, unknown>>[];
}

async function post(body: unknown, contentType = 'application/json') {
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = { 'content-type': contentType };
  const response = await server.inject({ method: 'POST', url: '/v1/entitlements', headers, payload });
  return { status: response.statusCode, headers: response.headers, body: response.json<Answer & Problem>() };
}

interface Problem {
  readonly code: string;
  readonly detail: string;
}

describe('POST /v1/entitlements', () => {
  test('one calculation, without a key: the result of the engine, working included', async () => {
    const { status, headers, body } = await post({ calculations: [solar] });
    expect(status).toBe(200);
    expect(headers['content-type']).toContain('application/json');
    expect(body.rule_set).toBe(ruleSetVersion);
    expect(body.results).toEqual([computeEntitlementFromJson(solar)]);
    expect(body.results[0]).toMatchObject({ outcome: 'eligible', stcs: 51, unrounded: '51.825' });
    expect(body.results[0]?.working).toContain('Over 15 years: 3.455 × 15 years = 51.825 MWh');
  });

  test(`${calculationsMax} calculations are answered in their order, one more is refused whole`, async () => {
    const calculations = Array.from({ length: calculationsMax }, (_, at) => ({
      ...solar,
      kw: at / 10 + 0.1,
    }));
    const { status, body } = await post({ calculations });
    expect(status).toBe(200);
    expect(body.results).toEqual(calculations.map((calculation) => computeEntitlementFromJson(calculation)));
    const refused = await post({ calculations: [...calculations, solar] });
    expect([refused.status, refused.body.code]).toEqual([400, 'request_invalid']);
    expect(refused.body.detail).toContain('/calculations');
  });

  test('what is wrong with one calculation is its answer, and the others have theirs', async () => {
    const calculations = [
      solar,
      { ...solar, kw: 'much' },
      { ...solar, kilowatts: 3 },
      { ...solar, kw: 101 },
      {},
      { ...solar, unit_programmes: ['SHCP', 'NSSP'], solar_credits: true, install_date: '2010-03-01' },
      { ...solar, kw: { value: 3 } },
      { ...solar, kw: null },
    ];
    const { status, body } = await post({ calculations });
    expect(status).toBe(200);
    const told = body.results.map(({ outcome, stcs, reasons, notices }) => [
      outcome,
      stcs,
      [...(reasons as Problem[]), ...(notices as Problem[])].map(({ code }) => code),
    ]);
    expect(told).toEqual([
      ['eligible', 51, []],
      ['invalid', null, ['field_invalid']],
      ['invalid', null, ['field_invalid']],
      ['ineligible', 0, ['power_over_threshold']],
      ['invalid', null, ['field_missing']],
      ['eligible', 51, ['multiplier_not_applied']],
      ['invalid', null, ['field_invalid']],
      ['invalid', null, ['field_missing']],
    ]);
  });

  test.each([
    ['no calculations', { calculations: [] }],
    ['no list', { calculations: solar }],
    ['a calculation alone', solar],
    ['a list alone', [solar]],
    ['another name beside them', { calculations: [solar], policy: 'mine' }],
    ['a calculation that is no object', { calculations: [3] }],
    ['no JSON', '{"calculations": ['],
  ])('%s: refused with a reason', async (_, body) => {
    const { status, headers, body: problem } = await post(body);
    expect(status).toBe(400);
    expect(headers['content-type']).toContain('application/problem+json');
    expect(problem.code).toBe('request_invalid');
  });

  test('another media type, and a body beyond all bounds', async () => {
    for (const type of ['text/csv', 'text/plain', 'application/x-www-form-urlencoded']) {
      const { status, body } = await post('system_type,kw\nsolar,1\n', type);
      expect([status, body.code, body.detail]).toEqual([
        415,
        'media_type_unsupported',
        'application/json is read here',
      ]);
    }
    expect((await post({ calculations: [solar] }, 'Application/JSON; charset=utf-8')).status).toBe(200);
    const large = await post({ calculations: [{ ...solar, kw: '1'.repeat(3 * 1024 * 1024) }] });
    expect([large.status, large.body.code]).toEqual([413, 'body_too_large']);
  });

  test('more requests in a minute than one address may: refused, with the time to wait', async () => {
    for (let request = 0; request < perMinuteMax; request += 1)
      expect((await post({ calculations: [solar] })).status).toBe(200);
    const { status, headers, body } = await post({ calculations: [solar] });
    expect([status, body.code]).toEqual([429, 'rate_limited']);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60);
  });
});

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
}
interface Described {
  readonly security: readonly unknown[];
  readonly requestBody: { content: Readonly<Record<string, { schema: object; example: unknown }>> };
  readonly responses: Readonly<Record<string, { content: Readonly<Record<string, { schema: object }>> }>>;
}

test('the published example, sent as it is, is answered as the published schema says', async () => {
  const description = (await server.inject({ url: '/openapi.json' })).json<Description>();
  const operation = description.paths['/v1/entitlements']!.post!;
  expect(operation.security).toEqual([]);
  expect(Object.keys(operation.responses)).toEqual(
    expect.arrayContaining(['200', '400', '413', '415', '429']),
  );
  const { schema, example } = operation.requestBody.content['application/json']!;
  expect(Compile(schema).Check(example)).toBe(true);
  const { status, body } = await post(example);
  expect(status).toBe(200);
  expect(Compile(operation.responses['200']!.content['application/json']!.schema).Check(body)).toBe(true);
  expect(body.results.map(({ outcome, stcs }) => [outcome, stcs])).toEqual([['eligible', 45]]);
});
