import { once } from 'node:events';
import { until } from '../../demo/client.ts';
import { type Fault, hitTimeoutMs, type Scene, within } from '../fault.ts';
import { killEngine } from '../processes.ts';
import type { Connection, EngineProxy } from '../proxy.ts';
import type { Rig } from '../rig.ts';
import { runTool } from '../tools.ts';
import { disarm, killAround } from './kill-at-points.ts';

const insertOfRows = /INSERT(\+|%20|\s)+INTO(\+|%20|\s)+decided_batches/;

/** Does something with each of the next inserts of rows, when its first bytes pass. */
function atInserts(
  proxy: EngineProxy,
  times: number,
  meet: (connection: Connection) => 'pass' | 'cut',
): Promise<void> {
  let left = times;
  return within(
    'inserts of rows',
    new Promise((resolve) => {
      const tap = proxy.tap;
      proxy.tap = (from, piece, connection) => {
        if (from === 'engine') return tap?.(from, piece, connection) ?? 'pass';
        if (left === 0 || !insertOfRows.test(piece.toString('latin1', 0, 2_000))) return 'pass';
        left -= 1;
        if (left === 0) resolve();
        return meet(connection);
      };
    }),
  );
}

function release({ rig }: Scene): void {
  rig.proxies.clickhouse.tap = undefined;
}

async function killedInInsert({ rig }: Scene): Promise<number> {
  await atInserts(rig.proxies.clickhouse, 1, () => 'pass');
  await killEngine(rig, 'clickhouse');
  await rig.engines.restart('clickhouse');
  return 1;
}

/** The rows are written, and the answer comes when nobody waits for it any more. */
async function answersLate({ rig }: Scene): Promise<number> {
  const times = 2;
  const held = new Map<Connection, Promise<unknown>>();
  rig.proxies.clickhouse.tap = (from, _, connection) =>
    from === 'engine' && held.has(connection) ? 'swallow' : 'pass';
  await atInserts(rig.proxies.clickhouse, times, (connection) => {
    held.set(connection, once(connection.client, 'close'));
    return 'pass';
  });
  await within('the writer gives up waiting', Promise.all(held.values()));
  return times;
}

async function cutInInsert({ rig }: Scene): Promise<number> {
  const times = 3;
  await atInserts(rig.proxies.clickhouse, times, (connection) => {
    // After these bytes: part of the insert is on its way, or all of it.
    setImmediate(() => connection.client.resetAndDestroy());
    return 'pass';
  });
  return times;
}

const refusing =
  "ALTER TABLE serial_rows ADD CONSTRAINT crash_matrix CHECK NOT startsWith(serial_key, 'REFUSED')";
const taking = 'ALTER TABLE serial_rows DROP CONSTRAINT IF EXISTS crash_matrix';
const keeping = ['ledger-writer.DecidedBatch.dead-letter', 'ledger-writer.DecidedBatch.dead_letters'];

/** ClickHouse refuses any block with certain rows: they become dead letters, the others pass, and a replay brings them back. */
async function refusesBlock({ rig, workload }: Scene): Promise<number> {
  await rig.desk.context.clickhouse.command(refusing);
  let kills = 0;
  for (const effect of keeping) {
    const killing = killAround({ rig }, effect);
    let killed = false;
    const done = killing.finally(() => {
      killed = true;
    });
    done.catch(() => undefined);
    while (!killed) {
      await workload.sendRefused();
      // Good rows in between: dead letters that follow each other stop a worker, and are meant to.
      for (let i = 0; i < 5 && !killed; i++) await Promise.race([done, workload.moved()]);
    }
    kills += await killing;
  }
  // And one that nobody interrupts.
  await workload.sendRefused();
  await until(
    'a dead letter waits',
    () => waiting(rig),
    (letters) => letters > 0,
    hitTimeoutMs,
  );
  return 1 + kills;
}

async function waiting({ desk }: Rig): Promise<number> {
  const [row] = await desk.context.clickhouse.query<{ letters: number }>(
    `SELECT toUInt32(count()) AS letters FROM (
       SELECT stage, partition, origin, submission, batch FROM dead_letters WHERE stage = 'ledger-writer'
       GROUP BY ALL HAVING max(settled) = 0)`,
  );
  return row!.letters;
}

async function replayRefused(scene: Scene): Promise<void> {
  const { rig } = scene;
  for (const effect of keeping) disarm(rig, effect);
  await rig.desk.context.clickhouse.command(taking);
  await rig.keeper.allUp();
  await runTool(rig, 'dead-letters', 'replay', '--stage', 'ledger-writer', '--state', 'waiting');
}

export const clickhouseFaults: readonly Fault[] = [
  {
    name: 'clickhouse killed in an insert',
    about: 'SIGKILL while rows are on their way into it, started again on its data',
    inject: killedInInsert,
    heal: async (scene) => release(scene),
  },
  {
    name: 'clickhouse answers too late',
    about: 'the rows are in, and the writer has given up waiting: the outcome is unknown',
    inject: answersLate,
    heal: async (scene) => release(scene),
    sample: true,
  },
  {
    name: 'clickhouse cut in an insert',
    about: 'the connection is reset while rows are on their way',
    inject: cutInInsert,
    heal: async (scene) => release(scene),
  },
  {
    name: 'clickhouse refuses a block for its data',
    about: 'the offenders become dead letters, SIGKILL around each step of that; replayed afterwards',
    inject: refusesBlock,
    heal: replayRefused,
  },
];
