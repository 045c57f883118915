import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Kafka } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type GatewayClient, until } from '#scripts/demo/client.ts';
import { importList } from '#scripts/demo/scenario.ts';
import { root } from '#scripts/engines/local.ts';
import type { RecoveryContext } from '#scripts/recovery/context.ts';
import { watermarkOf } from '#scripts/recovery/ledger.ts';
import { runScript } from '#scripts/run-script.ts';
import { withAdmin } from '#shared/adapters/kafka/client.ts';
import { toKafka } from '#shared/adapters/kafka/publisher.ts';
import { boundsOf, readLog } from '#shared/adapters/kafka/read-log.ts';
import { topicName, topicsGeneration } from '#shared/adapters/kafka/topics.ts';
import { sydneyDay } from '#shared/domain/days.ts';
import { partitionOf } from '#shared/domain/partition.ts';
import { claimOf, equipment, solarFacts } from '#test/support/claims.ts';
import { startTestFleet, type TestFleet } from '#test/support/fleet.ts';
import { GatewayLog } from '#test/support/gateway-log.ts';
import { expectNothingDiffers, recoveryContext, Submitted, still } from '#test/support/recovery.ts';
import type { RawRow } from '#test/support/serial-record.ts';

/** Cases of the list "Must survive" on the real engines: each has its number in its name. */
let fleet: TestFleet;
let log: GatewayLog;
let context: RecoveryContext;
let close: () => Promise<void>;
let submitted: Submitted;
let scopes: readonly string[];
let regulator: GatewayClient;

const submittedTopic = topicName('serials.submitted');
const listedTopic = topicName('serials.listed');
const decidedTopic = topicName('serials.decided');

beforeAll(async () => {
  fleet = await startTestFleet({ settings: { SESSION_TIMEOUT_MS: '6000', LOOKUP_WAIT_MS: '100' } });
  const { urls } = fleet.fleet.engines;
  await importList(urls, path.join(root, 'deploy', 'lists', 'synthetic_inverters_20260423.csv'), 'inverter');
  log = await GatewayLog.open(urls);
  ({ context, close } = recoveryContext(urls));
  submitted = new Submitted(log, context, fleet.models);
  scopes = Array.from({ length: context.partitions }, (_, i) => String(i));
  regulator = await fleet.account('The Regulator', 'regulator');
});

afterAll(async () => {
  await log?.close();
  await close?.();
  await fleet?.stop();
});

beforeEach(async () => {
  await submitted.decided();
  await still(context, scopes);
});

function worker(name: string) {
  return fleet.fleet.services.find(({ service }) => service === name)!.process;
}

/**
 * The bounds of the log once a submission with rows in every partition is seen by readers: when the marker of its transaction
 * is in each, a little after the commit.
 */
function boundsBehind(before: Awaited<ReturnType<typeof boundsOf>>): ReturnType<typeof boundsOf> {
  return until(
    'rows in every partition',
    () => boundsOf(log.kafka, submittedTopic),
    (bounds) => [...bounds].every(([partition, { high }]) => high > before.get(partition)!.high),
    60_000,
  );
}

describe('3: the answer is lost, and the client sends the same again at another gateway', () => {
  // Neither gateway knows of the other's manifest: the log holds the submission twice.
  const twice = async (prefix: string, between: () => Promise<void>) => {
    const rows = submitted.rows(prefix, 0, 300, 'First');
    const id = await submitted.submit(rows, { registered: 300 });
    await submitted.decided();
    await between();
    const before = await boundsOf(log.kafka, submittedTopic);
    await log.submit({ id, rows, batchRows: 100 });
    // The copy's last message, and the marker of its transaction behind it: nothing else comes.
    for (const [partition, { high }] of await boundsBehind(before))
      await until(
        `the watermark to pass the copy in partition ${partition}`,
        () => watermarkOf(context.clickhouse, 'serials.decided', partition),
        (origin) => origin >= high - 2,
        60_000,
      );
    await submitted.decided();
    await expectNothingDiffers(fleet.fleet.engines.urls);
  };

  test('the copy is the last message of idle partitions: still final, and nothing twice (must survive 3)', () =>
    twice('COPY-A-', async () => undefined));

  test('the copy lies on the other side of the cut of a rebuild (must survive 3)', () =>
    twice('COPY-B-', async () => {
      expect(await runScript(fleet.fleet.engines.urls, 'rebuild-index')).toMatchObject({ code: 0 });
    }));
});

describe('6: transactions that are open, and their markers', () => {
  const model = () => fleet.models[0]!;
  const decided = /^(approved|held|refused)$/;
  const open = new Set<() => Promise<void>>();

  // One that stays open would hold up every test behind it.
  afterEach(async () => {
    for (const end of open) await end();
  });

  test('a tick between open transactions; a partition that ends in a marker keeps no claim waiting (must survive 6)', async () => {
    const serial = 'MARKER-1';
    const partition = partitionOf('panel', serial, context.partitions);
    await submitted.submit([{ supplier: 'First', holder: model().holder, model: model().model, serial }], {
      registered: 1,
    });
    await submitted.decided();

    const first = await openTransaction(log.kafka, partition);
    expect(await stateOf(serial)).toBe('not_yet');
    // The claim's question lies behind the first transaction, and the second one behind the question.
    let last = await ownTick(partition);
    const claim = await claimed('between', serial);
    await until(
      'the question of the claim',
      async () => {
        const others = (await ownTick(partition)) - last - 1;
        last += others + 1;
        return others;
      },
      (others) => others > 0,
      60_000,
    );
    const second = await openTransaction(log.kafka, partition);
    await first.commit();
    expect(await decisionOf(claim)).toMatch(decided);
    expect(await stateOf(serial)).toBe('not_yet');

    await second.abort();
    await until(
      'the answer to what is asked behind an aborted transaction',
      () => stateOf(serial),
      (state) => state === 'found',
      60_000,
    );
    const later = await claimed('behind', serial);
    expect(await decisionOf(later)).toMatch(decided);
  });

  async function openTransaction(kafka: Kafka, partition: number) {
    const producer = kafka.producer({
      transactionalId: `test-${randomUUID()}`,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: 600_000,
    });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic: submittedTopic, acks: -1, messages: [toKafka(log.tick(partition))] });
    const ended = (how: 'commit' | 'abort') => async () => {
      open.delete(abort);
      await transaction[how]();
      await producer.disconnect();
    };
    const abort = ended('abort');
    open.add(abort);
    return { commit: ended('commit'), abort };
  }

  /** Its offset: what lies between two of them came from somebody else. Kafka tells an offset only to who writes there. */
  async function ownTick(partition: number): Promise<number> {
    return (await log.publisher.send(submittedTopic, [log.tick(partition)])).get(partition)!;
  }

  async function stateOf(serial: string): Promise<string> {
    return (await regulator.get<{ state: string }>(`/v1/serials/panel/${serial}`)).state;
  }

  /** Confirmed on site, so that only the panel is looked up. */
  async function claimed(token: string, serial: string): Promise<string> {
    const { holder, model: name } = model();
    const facts = solarFacts({
      address: `${token} Example Street`,
      installed_on: sydneyDay(Date.now() - 30 * 86_400_000),
      verified: true,
      spv_package: 'SPV-1',
      equipment: [
        equipment('panel', [serial], { holder, model: name }),
        equipment('inverter', [`MARKER-INVERTER-${token}`], {
          holder: 'Brightgrid Power Electronics Co Ltd',
          series: 'BG',
          model: 'BG-5000TL (AS4777-2 2020)',
        }),
      ],
    });
    const event = { ...claimOf(facts, { token, event: token }), received_at: Date.now() };
    await log.claim(event);
    return event.claim;
  }

  function decisionOf(claim: string): Promise<string> {
    return until(
      `the decision on ${claim}`,
      async () => {
        const [row] = await context.clickhouse.query<{ decision: string }>(
          'SELECT decision FROM claims FINAL WHERE claim = {claim:String}',
          { claim },
        );
        return row?.decision ?? '';
      },
      (decision) => decision !== '',
      90_000,
    );
  }
});

describe('13: a dead letter in each stage, then the next message, then its replay', () => {
  test('cec-validation: the whole submission sent again settles it (must survive 13)', async () => {
    const rows = submitted.rows('DEAD-A-', 0, 600, 'First');
    const { id, lost } = await submittedWithDamage(rows);
    await next('NEXT-A-');
    const [letter, ...more] = await lettersWithRows('cec-validation', lost);
    expect(letter).toMatchObject({ submission: id, rows: lost, settled: 0 });
    expect(more).toEqual([]);
    expect(await watermarkOf(context.clickhouse, 'serials.decided', 0)).toBeLessThan(letter!.origin);
    await log.submit({ id, rows, batchRows: 100 });
    submitted.expect({ registered: lost });
    await submitted.decided();
    expect(await letters('cec-validation')).toMatchObject([{ submission: id, settled: 1 }]);
    await expectNothingDiffers(fleet.fleet.engines.urls);
  });

  test('cec-validation: bytes that can never be read are given up, on record (must survive 13)', async () => {
    const { id, lost } = await submittedWithDamage(submitted.rows('DEAD-D-', 0, 600, 'First'));
    await next('NEXT-D-');
    await lettersWithRows('cec-validation', lost);
    const given = ['discard', '--submission', id, '--why', 'a test', '--by', 'tester'];
    expect(await runScript(fleet.fleet.engines.urls, 'dead-letters', ...given)).toMatchObject({ code: 0 });
    const state = (await letters('cec-validation')).find(({ submission }) => submission === id);
    expect(state).toMatchObject({ rows: lost, settled: 2 });
    await submitted.decided();
    await expectNothingDiffers(fleet.fleet.engines.urls);
  });

  test('dedup: its replay has the identities of the first; then a ledger-writer that reads everything again (must survive 13)', async () => {
    const rows = submitted.rows('DEAD-B-', 0, 300, 'First');
    await damagedBetweenStages(rows);
    await next('NEXT-B-');
    await lettersWithRows('dedup', 300);

    const replayed = await runScript(fleet.fleet.engines.urls, 'dead-letters', 'replay', '--stage', 'dedup');
    expect(replayed).toMatchObject({ code: 0 });
    submitted.expect({ registered: 300 });
    await submitted.decided();

    await worker('ledger-writer').stop(10_000);
    const beginning = new Map(scopes.map((partition) => [Number(partition), 0]));
    await setGroup(`ledger-writer.DecidedBatch.g${topicsGeneration}`, decidedTopic, beginning);
    await fleet.fleet.startService('ledger-writer');
    await next('AGAIN-B-');
    await submitted.decided();
    expect((await letters('dedup')).every(({ settled }) => settled === 1)).toBe(true);
    await expectNothingDiffers(fleet.fleet.engines.urls);
  });

  test('ledger-writer, started again while one is unsettled: the watermark waits for it (must survive 13)', async () => {
    const refused = 'DEAD-C-7';
    const partition = partitionOf('panel', refused, context.partitions);
    await context.clickhouse.command(
      `ALTER TABLE serial_rows ADD CONSTRAINT refused CHECK serial_key != '${refused}'`,
    );
    await submitted.submit(submitted.rows('DEAD-C-', 0, 60, 'First'), { registered: 60 });
    const [letter] = await lettersWithRows('ledger-writer', 1);
    expect(letter).toMatchObject({ partition, settled: 0 });

    await worker('ledger-writer').stop(10_000);
    await fleet.fleet.startService('ledger-writer');
    await next('NEXT-C-');
    expect(await watermarkOf(context.clickhouse, 'serials.decided', partition)).toBeLessThan(letter!.origin);

    await context.clickhouse.command('ALTER TABLE serial_rows DROP CONSTRAINT refused');
    const given = ['replay', '--stage', 'ledger-writer'];
    expect(await runScript(fleet.fleet.engines.urls, 'dead-letters', ...given)).toMatchObject({ code: 0 });
    await submitted.decided();
    await expectNothingDiffers(fleet.fleet.engines.urls);
  });

  /** What comes behind a dead letter is decided and written, although its submission is not final yet. */
  async function next(prefix: string): Promise<void> {
    await submitted.submit(submitted.rows(prefix, 0, 60, 'First'), { registered: 60 });
    await until(
      `the rows of ${prefix}`,
      async () => {
        const [row] = await context.clickhouse.query<{ rows: number }>(
          'SELECT count() AS rows FROM serial_rows FINAL WHERE startsWith(serial_key, {prefix:String})',
          { prefix },
        );
        return row?.rows ?? 0;
      },
      (rows) => rows === 60,
      60_000,
    );
  }

  /** One batch of the submission cannot be read by anybody. */
  async function submittedWithDamage(rows: readonly RawRow[]) {
    // Batches are numbered by partition: this is the first one of the first partition.
    const first = rows.filter(({ serial }) => partitionOf('panel', serial, context.partitions) === 0);
    const lost = Math.min(first.length, 100);
    const id = await submitted.submit(rows, { registered: rows.length - lost }, 'register', { damaged: [0] });
    return { id, lost };
  }

  /** As if what cec-validation made of these rows were damaged on its way to dedup. */
  async function damagedBetweenStages(rows: readonly RawRow[]): Promise<void> {
    await worker('cec-validation').stop(10_000);
    const from = await boundsOf(log.kafka, submittedTopic);
    const previous = new Map<number, number>();
    for (const partition of from.keys())
      previous.set(partition, await watermarkOf(context.clickhouse, 'serials.decided', partition));
    await submitted.submit(rows, {});
    const to = await boundsBehind(from);
    await readLog({
      kafka: log.kafka,
      topic: submittedTopic,
      ranges: [...to].map(([partition, { high }]) => ({
        partition,
        from: from.get(partition)!.high,
        to: high,
      })),
      async read({ offset, headers }, partition) {
        const link = previous.get(partition)!;
        previous.set(partition, offset);
        await log.publisher.send(listedTopic, [
          {
            partition,
            value: Buffer.from('damaged'),
            headers: { ...headers, origin: String(offset), link: String(link) },
          },
        ]);
        return undefined;
      },
    });
    await setGroup(
      `cec-validation.g${topicsGeneration}`,
      submittedTopic,
      new Map([...to].map(([partition, { high }]) => [partition, high])),
    );
    await fleet.fleet.startService('cec-validation');
  }

  /** Once nobody is left in the group: Kafka refuses it before. */
  function setGroup(groupId: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void> {
    return withAdmin(log.kafka, `set ${groupId} to other offsets`, async (admin) => {
      await until(
        `${groupId} to be empty`,
        () => admin.describeGroups([groupId]),
        ({ groups }) => groups[0]?.state === 'Empty',
        60_000,
      );
      const partitions = [...offsets].map(([partition, offset]) => ({ partition, offset: String(offset) }));
      await admin.setOffsets({ groupId, topic, partitions });
    });
  }

  interface StoredLetter {
    readonly partition: number;
    readonly origin: number;
    readonly submission: string;
    readonly rows: number;
    readonly settled: number;
  }

  function letters(stage: string): Promise<StoredLetter[]> {
    return context.clickhouse.query<StoredLetter>(
      `SELECT partition, origin, submission, any(rows) AS rows, max(settled) AS settled FROM dead_letters
       WHERE stage = {stage:String} GROUP BY partition, origin, submission, batch ORDER BY partition, origin`,
      { stage },
    );
  }

  /** The unsettled letters of a stage, once they hold so many rows at least. */
  async function lettersWithRows(stage: string, rows: number): Promise<readonly StoredLetter[]> {
    return until(
      `the letters of ${stage}`,
      async () => (await letters(stage)).filter(({ settled }) => settled === 0),
      (found) => found.reduce((sum, letter) => sum + letter.rows, 0) >= rows,
      60_000,
    );
  }
});
