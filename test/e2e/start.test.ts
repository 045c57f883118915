import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { GatewayClient, until } from '#scripts/demo/client.ts';
import { readModels } from '#scripts/demo/planted.ts';
import { importList } from '#scripts/demo/scenario.ts';
import type { EngineUrls } from '#scripts/engines/engines.ts';
import { root } from '#scripts/engines/local.ts';
import { final, panelFile, syntheticList } from '#test/support/fleet.ts';

const dataDir = mkdtempSync(path.join(tmpdir(), 'serial-ledger-start-test-'));
const running = new Set<ChildProcess>();

afterAll(() => {
  for (const { pid } of running) for (const each of treeOf(pid!)) killIfAlive(each);
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
});

interface Started {
  readonly child: ChildProcess;
  readonly text: () => string;
  readonly url: string;
  readonly exited: Promise<number | null>;
}

async function npmStart(): Promise<Started> {
  const child = spawn('npm', ['start', '-s', '--', dataDir], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let text = '';
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
  void exited.then(() => running.delete(child));
  const up = new Promise<string>((resolve, reject) => {
    const seen = (chunk: Buffer) => {
      text += chunk;
      const url = /The gateway answers at (\S+)/.exec(text)?.[1];
      if (url && text.includes('Ctrl-C stops everything')) resolve(url);
    };
    child.stdout!.on('data', seen);
    child.stderr!.on('data', seen);
    void exited.then(() => reject(new Error(`npm start ended: ${text}`)));
  });
  return { child, text: () => text, url: await up, exited };
}

/** As `npm start` writes them for the tools. */
function engineUrls(): EngineUrls {
  const lines = readFileSync(path.join(dataDir, 'engines.env'), 'utf8').trim().split('\n');
  const url = (name: string) => lines.find((line) => line.startsWith(`${name}=`))!.slice(name.length + 1);
  return {
    kafkaBrokers: url('KAFKA_BROKERS'),
    schemaRegistryUrl: url('SCHEMA_REGISTRY_URL'),
    redisUrl: url('REDIS_URL'),
    clickhouseUrl: url('CLICKHOUSE_URL'),
  };
}

function recordedPids(): number[] {
  const file = path.join(dataDir, 'run', 'pids.json');
  if (!existsSync(file)) return [];
  return (JSON.parse(readFileSync(file, 'utf8')) as { pid: number }[]).map(({ pid }) => pid);
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

/** The tree falls from the top: what noticed that its parent is gone may have ended by itself. */
function killIfAlive(pid: number): void {
  if (alive(pid)) process.kill(pid, 'SIGKILL');
}

/** Every process below `pid`, itself included. */
function treeOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean);
  return [pid, ...children.flatMap((child) => treeOf(Number(child)))];
}

it.skipIf(process.platform !== 'linux')(
  'npm start: one key, a clean stop, a second start refused, and nothing lost by kill -9 of the whole tree',
  async () => {
    const first = await npmStart();
    const key = /operator's key, shown this once: (\S+)/.exec(first.text())?.[1];
    expect(key).toBeDefined();
    await importList(engineUrls(), syntheticList, 'panel');
    const models = await readModels(readFileSync(syntheticList, 'utf8'));
    const file = (prefix: string) => panelFile('Kept Pty Ltd', models, { rows: 2_000, prefix });
    const operator = new GatewayClient(first.url, key!);
    const account = await operator.post<{ id: string }>('/v1/accounts', {
      name: 'Kept Pty Ltd',
      kind: 'supplier',
    });
    const made = await operator.post<{ key: string }>(`/v1/accounts/${account.id}/keys`, { label: 'test' });
    const supplier = new GatewayClient(first.url, made.key);
    const done = await supplier.upload<{ id: string }>('/v1/submissions', file('DONE'));
    await final(supplier, done.id);

    const second = spawn('npm', ['start', '-s', '--', dataDir], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let refusal = '';
    second.stderr.on('data', (chunk) => {
      refusal += chunk;
    });
    expect(await new Promise((resolve) => second.on('exit', resolve))).not.toBe(0);
    expect(refusal).toContain('is in use by process');

    const pids = recordedPids();
    const accepted = await supplier.upload<{ id: string }>('/v1/submissions', file('LATE'));
    expect(pids.length).toBeGreaterThanOrEqual(9);
    for (const pid of treeOf(first.child.pid!)) killIfAlive(pid);
    await first.exited;

    const next = await npmStart();
    expect(next.text()).not.toContain("operator's key");
    expect(pids.filter(alive)).toEqual([]);
    const again = new GatewayClient(next.url, made.key);
    for (const { id } of [done, accepted]) {
      const { received, outcomes, imbalance } = await final(again, id);
      expect({ received, outcomes, imbalance }).toEqual({
        received: 2_000,
        outcomes: { registered: 2_000 },
        imbalance: 0,
      });
    }

    const last = recordedPids();
    next.child.kill('SIGTERM');
    // npm hands the signal on, and may end by it before those below have stopped in order.
    expect([0, null]).toContain(await next.exited);
    const lock = path.join(dataDir, 'run', 'lock.json');
    await until(
      'everything to stop',
      async () => [...last.filter(alive), ...(existsSync(lock) ? [lock] : [])],
      (left) => left.length === 0,
      60_000,
    );
  },
  300_000,
);
