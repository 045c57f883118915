import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { until } from '../../demo/client.ts';
import { root } from '../../engines/local.ts';
import { type Fault, hitTimeoutMs, type Scene, within } from '../fault.ts';
import { killEngine } from '../processes.ts';
import type { Connection } from '../proxy.ts';
import type { Rig } from '../rig.ts';
import { publishLists, rebuildIndex } from '../tools.ts';

const lostMs = 1_000;

/** Files in which Redis keeps what it wrote; before version 7 it is one. */
function appendOnly(rig: Rig): { readonly names: readonly string[]; readonly folder: string } {
  const folder = path.join(rig.dataDir, 'redis');
  const names = readdirSync(folder).filter((name) => name.startsWith('appendonly'));
  return { folder, names };
}

/** The file that grows. */
function growing(rig: Rig): string {
  const { folder, names } = appendOnly(rig);
  const several = path.join(folder, 'appendonlydir');
  if (!existsSync(several)) return path.join(folder, names[0]!);
  return readdirSync(several)
    .filter((name) => name.endsWith('.incr.aof'))
    .map((name) => path.join(several, name))
    .sort()
    .at(-1)!;
}

function copyTo(rig: Rig, name: string): string {
  const copy = path.join(rig.dataDir, name);
  rmSync(copy, { recursive: true, force: true });
  const { folder, names } = appendOnly(rig);
  for (const file of names) cpSync(path.join(folder, file), path.join(copy, file), { recursive: true });
  return copy;
}

function putBack(rig: Rig, copy: string): void {
  const { folder, names } = appendOnly(rig);
  for (const file of names) rmSync(path.join(folder, file), { recursive: true });
  cpSync(copy, folder, { recursive: true });
}

async function loseLastSecond({ rig }: Scene): Promise<number> {
  const file = growing(rig);
  const size = statSync(file).size;
  const begun = Date.now();
  const grown = async () => statSync(file).size - size;
  // Something that was decided must be among what is lost.
  const enough = (bytes: number) => bytes > 20_000 && Date.now() - begun >= lostMs;
  await until('Redis writes something that it will lose', grown, enough, hitTimeoutMs);
  await killEngine(rig, 'redis');
  truncateSync(file, size);
  await rig.engines.restart('redis');
  return 1;
}

async function olderCopy({ rig, workload }: Scene): Promise<number> {
  const copy = copyTo(rig, 'redis-copy');
  for (let i = 0; i < 3; i++) await workload.moved();
  await killEngine(rig, 'redis');
  putBack(rig, copy);
  await rig.engines.restart('redis');
  return 1;
}

/** The copy is of a generation that a rebuild has replaced since: nobody may decide by it. */
async function copyOfFormerGeneration(scene: Scene): Promise<number> {
  const { rig, workload } = scene;
  const copy = copyTo(rig, 'redis-copy');
  await rebuildIndex(rig);
  await workload.moved();
  await killEngine(rig, 'redis');
  putBack(rig, copy);
  await rig.engines.restart('redis');
  return 1;
}

async function emptied({ rig, workload }: Scene): Promise<number> {
  await workload.moved();
  await rig.desk.context.redis.flushall();
  return 1;
}

async function killed({ rig, workload }: Scene): Promise<number> {
  const times = 3;
  for (let i = 0; i < times; i++) {
    await workload.moved();
    await killEngine(rig, 'redis');
    await rig.engines.restart('redis');
  }
  return times;
}

const applySha = createHash('sha1')
  .update(readFileSync(path.join(root, 'services', 'shared', 'adapters', 'redis', 'lua', 'apply.lua')))
  .digest('hex');

/** The script has run: state and position have moved. Whoever called it does not know. */
async function answersLost({ rig }: Scene): Promise<number> {
  const times = 3;
  const asked = new WeakSet<Connection>();
  let left = times;
  await within(
    'answers of Redis lost',
    new Promise<void>((resolve) => {
      rig.proxies.redis.tap = (from, piece, connection) => {
        if (from === 'engine') {
          if (!asked.has(connection)) return 'pass';
          left -= 1;
          if (left === 0) {
            rig.proxies.redis.tap = undefined;
            resolve();
          }
          return 'cut';
        }
        if (piece.includes(applySha)) asked.add(connection);
        return 'pass';
      };
    }),
  );
  return times;
}

export const redisFaults: readonly Fault[] = [
  {
    name: 'redis killed',
    about: 'SIGKILL, started again on its data, three times',
    inject: killed,
  },
  {
    name: 'redis loses its last second',
    about: 'SIGKILL, and what it wrote in the last second is gone',
    inject: loseLastSecond,
    sample: true,
  },
  {
    name: 'redis answers of apply lost',
    about: 'the script has run, and whoever called it is not told',
    inject: answersLost,
    heal: async ({ rig }) => {
      rig.proxies.redis.tap = undefined;
    },
  },
  {
    name: 'redis put back to an older copy',
    about: 'of the same generation: workers notice, and read again by themselves',
    inject: olderCopy,
  },
  {
    name: 'redis put back to a former generation',
    about: 'a copy from before a rebuild: workers wait for rebuild-index, and go on',
    inject: copyOfFormerGeneration,
    heal: ({ rig }) => rebuildIndex(rig),
  },
  {
    name: 'redis emptied',
    about: 'index and lists are gone: workers wait for rebuild-index and the lists, and go on',
    inject: emptied,
    sample: true,
    heal: async ({ rig }) => {
      await publishLists(rig);
      await rebuildIndex(rig);
    },
  },
  {
    name: 'rebuild-index while messages are in flight',
    about: 'nothing was lost: the index is replaced under the workers',
    inject: async ({ rig, workload }) => {
      await workload.moved();
      await rebuildIndex(rig);
      return 1;
    },
  },
];
