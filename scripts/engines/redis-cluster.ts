import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { RedisNode } from './engines.ts';
import { type LocalEngine, redisNode, startLocal } from './local.ts';
import type { Supervised, Supervisor } from './supervise.ts';

const slots = 16_384;
const formTimeoutMs = 60_000;

interface Node extends RedisNode {
  start(): Promise<void>;
  stop(graceMs: number): Promise<void>;
}

/** A Redis Cluster of local processes, without replicas: each node serves its share of the slots. */
export class RedisCluster {
  readonly nodes: readonly RedisNode[];
  readonly #nodes: readonly Node[];

  private constructor(nodes: readonly Node[]) {
    this.nodes = nodes;
    this.#nodes = nodes;
  }

  static async start(supervisor: Supervisor, count: number): Promise<RedisCluster> {
    const nodes: Node[] = [];
    // One after the other: each takes the first ports that are free.
    for (let i = 0; i < count; i++) nodes.push(await openNode(supervisor, `redis-${i + 1}`));
    const cluster = new RedisCluster(nodes);
    try {
      await Promise.all(nodes.map((node) => node.start()));
      await form(nodes);
      return cluster;
    } catch (error) {
      await cluster.stop(0);
      throw error;
    }
  }

  /** As services are told: every node. */
  get url(): string {
    const [first, ...others] = this.nodes.map(({ url }) => url);
    return [first, ...others.map((url) => new URL(url).host)].join(',');
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop(graceMs)));
  }
}

async function openNode(supervisor: Supervisor, name: string): Promise<Node> {
  const engine: LocalEngine = await redisNode(supervisor.dataDir, name);
  let process: Supervised | undefined;
  const start = async () => {
    process = await startLocal(supervisor, engine);
  };
  const stop = async (graceMs: number) => {
    await process?.stop(graceMs);
  };
  return {
    url: engine.url,
    folder: path.join(supervisor.dataDir, name),
    start,
    stop,
    kill: (signal) => process!.kill(signal),
    async restart(between) {
      await stop(0);
      between?.();
      await start();
    },
  };
}

/** Makes one cluster of the nodes, unless they were one before; resolves when every node sees every slot served. */
async function form(nodes: readonly Node[]): Promise<void> {
  const clients = nodes.map(({ url }) => new Redis(url));
  try {
    await Promise.all(
      clients.map(async (client, i) => {
        const info = String(await client.cluster('INFO'));
        if (!info.includes('cluster_slots_assigned:0')) return;
        const from = Math.ceil((slots * i) / nodes.length);
        const to = Math.ceil((slots * (i + 1)) / nodes.length);
        await client.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_, slot) => from + slot));
        // Two nodes of the same epoch would have to settle it between them.
        await client.cluster('SET-CONFIG-EPOCH', i + 1).catch(() => undefined);
      }),
    );
    const first = new URL(nodes[0]!.url);
    for (const client of clients.slice(1)) await client.cluster('MEET', first.hostname, first.port);
    const whole = async (client: Redis) =>
      String(await client.cluster('INFO')).includes(`cluster_slots_ok:${slots}\r\n`);
    for (const deadline = Date.now() + formTimeoutMs; ; await delay(50)) {
      if ((await Promise.all(clients.map(whole))).every(Boolean)) return;
      if (Date.now() > deadline) throw new Error('the nodes of the Redis Cluster do not find each other');
    }
  } finally {
    for (const client of clients) client.disconnect();
  }
}
