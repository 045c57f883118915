import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Basis, latestBasis, sha256Of } from '#scripts/assess/basis.ts';
import { claimRows } from '#scripts/assess/claim-rows.ts';
import { claimOfRecord } from '#scripts/assess/judge.ts';
import { assess, type JobContext } from '#scripts/assess/run.ts';
import { usersFileName } from '#scripts/clickhouse-users/passwords.ts';
import { urlEnv } from '#scripts/engines/engines.ts';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import { serialPartitions } from '#shared/adapters/kafka/topics.ts';
import { OperationalError } from '#shared/base/errors.ts';
import { type ClaimFacts, withdrawalEvent } from '#shared/domain/claims/index.ts';
import { sydneyDay } from '#shared/domain/days.ts';
import { normalise } from '#shared/domain/normalise.ts';
import { type Ended, startAssess } from '#test/support/assess.ts';
import { claimCsv } from '#test/support/claim-csv.ts';
import { equipment, solarFacts, windFacts } from '#test/support/claims.ts';
import { type ClaimState, ClaimsFleet, installed, panelHolder } from '#test/support/claims-fleet.ts';
import { KillProxy } from '#test/support/kill-proxy.ts';

let fleet: ClaimsFleet;
let env: Record<string, string>;

beforeAll(async () => {
  fleet = await ClaimsFleet.start();
  const { engines, dataDir } = fleet.engines;
  env = { ...urlEnv(engines.urls), CLICKHOUSE_USERS_FILE: path.join(dataDir, usersFileName) };
});
afterAll(() => fleet?.stop());

let places = 0;
const earlier = sydneyDay(Date.now() - 40 * 86_400_000);

/** A claim of a place of its own. */
function claimed(panels: readonly string[], more: Partial<ClaimFacts> = {}): ClaimFacts {
  places += 1;
  return solarFacts({
    installed_on: installed,
    address: `${places} Assessed Street`,
    panel_count: panels.length,
    equipment: [equipment('panel', panels), equipment('inverter', [`AINV-${places}`])],
    ...more,
  });
}

async function registerInverters(claims: readonly ClaimFacts[]): Promise<void> {
  const serials = claims.flatMap((facts) =>
    facts.equipment.filter(({ product }) => product === 'inverter').flatMap((item) => item.serials),
  );
  await fleet.submit('inverter', 'register', serials);
}

/** Resolves when the ledger has everything that was submitted before. */
async function settled(): Promise<void> {
  const partitions = Array.from({ length: serialPartitions('local') }, (_, partition) => partition);
  const stamps = await fleet.ledger.tick(partitions);
  await fleet.until('the watermarks', async () => {
    const watermarks = await fleet.ledger.watermarks();
    return [...stamps].every(([partition, stamp]) => (watermarks.get(partition) ?? -1) >= stamp) || undefined;
  });
}

function write(name: string, claims: readonly ClaimFacts[]): string {
  const file = path.join(fleet.engines.dataDir, name);
  writeFileSync(file, claimCsv(claims));
  return file;
}

async function run(file: string, ...args: string[]): Promise<Ended> {
  return startAssess(env, [file, ...args]).ended;
}

interface StoredVerdict {
  readonly record: number;
  readonly decision: string;
  readonly certificates: number;
  readonly findings: readonly {
    code: string;
    effect: string;
    subject: string;
    detail: string;
    reference: string;
  }[];
}

function verdicts(job: string): Promise<StoredVerdict[]> {
  return fleet.clickhouse.query<StoredVerdict>(
    'SELECT record, decision, certificates, findings FROM assessment_verdicts WHERE job = {job:String} ORDER BY record',
    { job },
  );
}

async function basisOf(file: string): Promise<Basis> {
  const basis = await latestBasis(fleet.clickhouse, (await sha256Of(file)).sha256);
  if (!basis) throw new Error(`no job over ${file}`);
  return basis;
}

/** Of a job: what does not depend on its name. */
const plain = (found: readonly StoredVerdict[]) =>
  found.map(({ record, decision, certificates, findings }) => [
    record,
    decision,
    certificates,
    findings.map(({ code, effect, subject }) => [code, effect, subject]),
  ]);

describe('the verdicts are those of the live decision', () => {
  test('for the same claims, in the same order, over the same ledger', async () => {
    // What the registry has already: a live claim, one that was withdrawn, and one at an address that is claimed again.
    const live = claimed(['V-LIVE']);
    const withdrawn = claimed(['V-FREED']);
    const neighbour = claimed(['V-NEXT-DOOR']);
    const claims = [
      claimed(['V-1', 'V-2']),
      claimed(['V-3', 'V-NONE']),
      claimed(['V-INVALID']),
      claimed(['V-CONFLICT']),
      claimed(['V-RESOLVED']),
      claimed(['V-BANNED']),
      claimed(['V-OFFERED']),
      claimed(['V-LIVE', 'V-4']),
      claimed(['V-FREED']),
      claimed(['V-5'], { address: neighbour.address, installed_on: earlier }),
      // Within the file: the second of two claims for a serial, the second at an address, a later period of a unit.
      claimed(['v-1 ', 'V-6']),
      claimed(['V-7'], { address: 'Shared Road', deeming: '1', accredited: '' }),
      claimed(['V-8'], { address: 'shared  road', installed_on: earlier }),
      claimed(['V-7'], { address: 'Shared Road', deeming: '1', accredited: '' }),
      claimed(['V-9', 'V-9']),
      claimed(['V-10'], { panel_count: 5 }),
      claimed(['V-11'], {
        equipment: [equipment('panel', ['V-11'], { model: 'panel-200' }), equipment('inverter', ['AINV-X'])],
      }),
      claimed(['V-12'], {
        equipment: [equipment('panel', ['V-12'], { model: 'panel-old' }), equipment('inverter', ['AINV-Y'])],
      }),
      claimed(['1.2E+14']),
      claimed(['V-13'], { owner: '', claimed_certificates: 1 }),
      windFacts({
        installed_on: installed,
        address: 'Windy Hill',
        equipment: [equipment('turbine', ['BW-7'])],
      }),
      windFacts({
        installed_on: installed,
        address: 'Windy Hill 2',
        equipment: [equipment('turbine', ['BW-7'])],
      }),
    ];
    await fleet.register([
      ...Array.from({ length: 13 }, (_, i) => `V-${i + 1}`),
      'V-LIVE',
      'V-FREED',
      'V-NEXT-DOOR',
      'V-INVALID',
      'V-CONFLICT',
      'V-RESOLVED',
      'V-BANNED',
    ]);
    await fleet.register(['V-OFFERED'], { finding: 'supplier_not_authorised', account: 'importer' });
    await fleet.register(['V-CONFLICT', 'V-RESOLVED'], { supplier: 'Rival', account: 'rival' });
    await fleet.submit('panel', 'invalidate', ['V-INVALID']);
    await registerInverters([live, withdrawn, neighbour, ...claims]);
    await fleet.rule('serial_ineligible', { serial_key: 'V-BANNED', reason: 'stolen' });
    await fleet.rule('conflict_resolved', {
      holder_key: normalise(panelHolder),
      serial_key: 'V-RESOLVED',
      held_by: 'SUNWARD IMPORTS',
      disputed_by: ['RIVAL'],
    });
    await settled();
    for (const facts of [live, withdrawn, neighbour]) {
      const sent = fleet.claimed([], facts);
      await fleet.send(sent);
      expect((await fleet.decided(sent)).status).toBe('approved');
      if (facts !== withdrawn) continue;
      const withdrawal = withdrawalEvent(fleet.sender('agent'), sent.claim, 'mistake');
      await fleet.send(withdrawal);
      expect((await fleet.decided(withdrawal)).status).toBe('withdrawn');
    }
    await settled();

    const file = write('live.csv', claims);
    const ended = await run(file);
    expect(ended, ended.err).toMatchObject({ code: 0 });
    const basis = await basisOf(file);
    const judged = await verdicts(basis.job);
    expect(judged).toHaveLength(claims.length);

    const decided: ClaimState[] = [];
    for await (const rows of claimRows(file))
      for (const row of rows) {
        const read = row.read();
        const claim = claimOfRecord(read.claim!, read.record, basis);
        await fleet.send(claim);
        decided.push(await fleet.decided(claim));
      }
    expect(
      judged.map(({ decision, certificates, findings }) => ({ decision, certificates, findings })),
    ).toEqual(
      decided.map(({ decision, certificates, findings }) => ({
        decision,
        certificates: decision === 'approved' ? certificates : 0,
        findings,
      })),
    );
    // The list above is meant to meet these.
    const codes = new Set(judged.flatMap(({ findings }) => findings.map(({ code }) => code)));
    for (const code of [
      'serial_not_found',
      'serial_invalid',
      'serial_in_conflict',
      'serial_already_claimed',
      'serial_declared_ineligible',
      'supplier_not_authorised',
      'address_repeated',
      'period_already_claimed',
      'serial_repeated',
      'quantity_mismatch',
      'serial_other_model',
      'model_expired',
      'serial_damaged',
      'field_missing',
      'entitlement_differs',
    ])
      expect(codes, code).toContain(code);

    const csv = readFileSync(path.join(fleet.engines.dataDir, 'live.verdicts.csv'), 'utf8')
      .trimEnd()
      .split('\r\n');
    expect(csv).toHaveLength(claims.length + 1);
    expect(csv[2]).toMatch(/^2,3,[0-9a-f]{20}-[0-9a-f]{16},solar,3,held,0,/);
    expect(ended.out).toContain('approved');
    expect(ended.out).toContain('serial_already_claimed');
  });

  test('a row that is no claim has the reasons of the claim file as its verdict', async () => {
    const file = path.join(fleet.engines.dataDir, 'odd.csv');
    writeFileSync(
      file,
      'Type of system,Installation date,Panel serial numbers\nsolar,31/04/2026,A\nwind,01/03/2026\nmoon,01/03/2026,\n',
    );
    expect(await run(file)).toMatchObject({ code: 0 });
    expect(plain(await verdicts((await basisOf(file)).job))).toEqual([
      [1, 'unreadable', 0, [['field_invalid', 'refuse', 'Installation date']]],
      [2, 'unreadable', 0, [['cell_count_wrong', 'refuse', '']]],
      [3, 'unreadable', 0, [['field_invalid', 'refuse', 'Type of system']]],
    ]);
  });
});

/** Claims of which some touch each other, across the blocks that verdicts are written in. */
function manyClaims(prefix: string, count: number): readonly ClaimFacts[] {
  return Array.from({ length: count }, (_, i) => {
    const own = [`${prefix}-${i}-A`, `${prefix}-${i}-B`];
    const shared = i % 7 === 3 ? [`${prefix}-${i - 3}-A`] : [];
    return claimed([...own, ...shared], i % 11 === 5 ? { address: `${prefix} Terrace` } : {});
  });
}

/** A connection that breaks at its nth call, before or after the server has done what it was asked. */
function breaking(clickhouse: Clickhouse, at: number, when: 'before' | 'after'): Clickhouse {
  let calls = 0;
  return {
    ...clickhouse,
    async insertRows(table, rows, options) {
      calls += 1;
      const broken = new OperationalError('clickhouse.broken', 'the connection is gone', { retryable: true });
      if (calls === at && when === 'before') throw broken;
      await clickhouse.insertRows(table, rows, options);
      if (calls === at) throw broken;
    },
  };
}

describe('a job that is interrupted', () => {
  const limits = { shareMax: 1, after: 1, accepted: new Set<string>() };

  test('goes on wherever it stopped, and gives every verdict once, as if nothing had been', async () => {
    const claims = manyClaims('I', 60);
    await fleet.register(claims.slice(0, 50).flatMap(({ equipment: [panels] }) => panels!.serials));
    await registerInverters(claims);
    await settled();
    const file = write('interrupted.csv', claims);
    const { sha256, bytes } = await sha256Of(file);
    const context: JobContext = {
      reader: fleet.clickhouse,
      writer: fleet.clickhouse,
      partitions: serialPartitions('local'),
      now: Date.now,
      report: () => undefined,
      limits,
      setSerialsMax: 40,
      blockRecords: 8,
    };
    const job = (writer: Clickhouse, again: boolean) =>
      assess({ ...context, writer }, { path: file, name: 'interrupted.csv', sha256, bytes }, again);

    const whole = await job(fleet.clickhouse, true);
    const expected = plain(await verdicts(whole.job));
    expect(expected).toHaveLength(60);
    expect(new Set(expected.map(([, decision]) => decision))).toEqual(
      new Set(['approved', 'held', 'refused']),
    );

    // One insert begins the job, one for each block, one says that it is done.
    const inserts = 1 + Math.ceil(60 / 8) + 1;
    for (let at = 1; at <= inserts; at++)
      for (const when of ['before', 'after'] as const) {
        await expect(job(breaking(fleet.clickhouse, at, when), true)).rejects.toThrow(
          'the connection is gone',
        );
        // What was lost before anything was known of it is begun anew.
        const rest = await job(fleet.clickhouse, at === 1 && when === 'before');
        expect(rest.kind).toBe('done');
        expect(plain(await verdicts(rest.job)), `${when} insert ${at}`).toEqual(expected);
      }
  });

  test('by kill -9, again and again, has every verdict once in table and CSV', async () => {
    const claims = manyClaims('K', 100);
    await fleet.register(claims.slice(0, 70).flatMap(({ equipment: [panels] }) => panels!.serials));
    await registerInverters(claims);
    await settled();
    const file = write('killed.csv', claims);
    const args = [file, '--block', '10', '--share-max', '1'];
    const proxy = await KillProxy.open(fleet.engines.engines.urls.clickhouseUrl);
    try {
      const kills = [
        [1, 'before'],
        [1, 'after'],
        [3, 'after'],
        [2, 'before'],
        [1, 'after'],
      ] as const;
      for (const [at, moment] of kills) {
        const running = startAssess({ ...env, CLICKHOUSE_URL: proxy.url }, args);
        proxy.killAt(at, moment, () => running.process.kill('SIGKILL'));
        const killed = await running.ended;
        expect(killed, killed.err).toMatchObject({ signal: 'SIGKILL' });
      }
    } finally {
      proxy.close();
    }
    const last = await run(file, ...args.slice(1));
    expect(last, last.err).toMatchObject({ code: 0 });
    const { job } = await basisOf(file);
    const once = await verdicts(job);
    expect(once.map(({ record }) => record)).toEqual(claims.map((_, i) => i + 1));
    const csv = readFileSync(path.join(fleet.engines.dataDir, 'killed.verdicts.csv'), 'utf8');
    expect(csv.trimEnd().split('\r\n')).toHaveLength(claims.length + 1);

    const anew = await run(file, '--again', '--share-max', '1');
    expect(anew, anew.err).toMatchObject({ code: 0 });
    expect(plain(await verdicts((await basisOf(file)).job))).toEqual(plain(once));
  });

  test('is judged on the ledger as it stood when it was begun; --again on the ledger as it stands', async () => {
    const claims = [claimed(['L-1']), claimed(['L-2'])];
    await registerInverters(claims);
    await settled();
    const file = write('later.csv', claims);
    const stopped = await run(file, '--share-after', '1', '--share-max', '0.5');
    expect(stopped, stopped.err).toMatchObject({ code: 3 });
    await fleet.register(['L-1', 'L-2']);
    await settled();
    const accepted = await run(file, '--accept', 'serial_not_found');
    expect(accepted, accepted.err).toMatchObject({ code: 0 });
    const decisions = async () => (await verdicts((await basisOf(file)).job)).map(({ decision }) => decision);
    expect(await decisions()).toEqual(['held', 'held']);
    expect(await run(file, '--again')).toMatchObject({ code: 0 });
    expect(await decisions()).toEqual(['approved', 'approved']);
  });
});

test('a finding that an implausible share of the claims have stops the job with a question', async () => {
  const claims = manyClaims('Q', 40);
  await registerInverters(claims);
  await settled();
  const file = write('question.csv', claims);
  const asked = await run(file, '--share-after', '20', '--share-max', '0.3', '--block', '10');
  expect(asked, asked.err).toMatchObject({ code: 3, out: '' });
  expect(asked.err).toMatch(/serial_not_found: 20 of 20 claims, 100\.0 %/);
  expect(asked.err).toContain('record 1, line 2, Q-0-A');
  expect(asked.err).toContain('--accept serial_not_found');
  const { job } = await basisOf(file);
  expect(await verdicts(job)).toEqual([]);
  expect(existsSync(path.join(fleet.engines.dataDir, 'question.verdicts.csv'))).toBe(false);

  expect(await run(file, '--share-after', '20', '--share-max', '0.3')).toMatchObject({ code: 3 });
  const done = await run(file, '--share-after', '20', '--share-max', '0.3', '--accept', 'serial_not_found');
  expect(done, done.err).toMatchObject({ code: 0 });
  expect(await verdicts(job)).toHaveLength(40);
});

test('what cannot be done is said, with an exit status of its own', async () => {
  expect(await run('nowhere.csv')).toMatchObject({ code: 2, err: expect.stringContaining('no such file') });
  const file = path.join(fleet.engines.dataDir, 'wrong.csv');
  writeFileSync(file, 'Colour\nred\n');
  expect(await run(file)).toMatchObject({ code: 2, err: expect.stringContaining('Installation date') });
  const good = write('good.csv', [claimed(['V-1'])]);
  expect(await run(good, '--accept', 'no_such_finding')).toMatchObject({ code: 2 });
  const away = await startAssess({ ...env, CLICKHOUSE_URL: 'http://127.0.0.1:1' }, [good]).ended;
  expect(away).toMatchObject({ code: 1 });
  const unknown = await startAssess({ ...env, CLICKHOUSE_USERS_FILE: '/nowhere' }, [good]).ended;
  expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('ledger_assess') });
  expect(await run('--help')).toMatchObject({ code: 0, out: expect.stringContaining('Exit status') });
});
