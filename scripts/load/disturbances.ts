import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { type Latency, latencyOf } from '../bench/statistics.ts';
import type { Answer, LoadClient } from './client.ts';
import type { LoadFleet } from './fleet.ts';
import { forgetPeak, memoryOf } from './memory.ts';
import { fileOf, rowsOf } from './rows.ts';

export interface Latencies extends Latency {
  readonly count: number;
  readonly failed: number;
  readonly max: number;
}

export interface Disturbed {
  readonly by: string;
  readonly uploads: Latencies;
  readonly lookups: Latencies;
  /** Answers to whoever disturbs, by status; 0 for a connection that broke. */
  readonly answers: Readonly<Record<string, number>>;
  /** Megabytes of the gateway. */
  readonly peak: number;
}

/** Goes on disturbing until it is told to stop; counts what it is answered. */
type Disturbance = (load: LoadFleet, until: AbortSignal, answered: (answer: Answer) => void) => Promise<void>;

const rowsOfNormal = 500;
const backlogMs = 180_000;
const pauseMs = 200;

/** What another account may do at the same time, and what an ordinary upload and look-up take meanwhile. */
export const disturbances: Readonly<Record<string, Disturbance>> = {
  'nobody else': async (_, until) => stopped(until),
  'one stream at full rate': (load, until) => streams(load, until, 1),
  'four streams at full rate': (load, until) => streams(load, until, 4),
  '200 uploads of 5,000 rows at once': async (load, until, answered) => {
    const client = await load.account();
    await together(200, async () => {
      while (!until.aborted)
        answered(
          await client.upload(fileOf(load.supplier, load.models, { series: load.series(), rows: 5_000 })),
        );
    });
  },
  '200 uploads that trickle': async (load, until) => {
    const client = await load.account();
    await together(200, async () => {
      while (!until.aborted) await trickle(client, until);
    });
  },
  '200 half uploads that break, again and again': async (load, until) => {
    const client = await load.account();
    const half = fileOf(load.supplier, load.models, { series: load.series(), rows: 2_500 });
    await together(200, async () => {
      while (!until.aborted) {
        const sending = begin(client, half.length * 2);
        sending.write(half);
        await delay(50);
        sending.destroy();
      }
    });
  },
  'compressed bodies that grow a thousandfold': async (load, until, answered) => {
    const client = await load.account();
    const bomb = gzipSync(Buffer.alloc(256 * 1024 * 1024, 'A,'));
    const headers = { 'content-type': 'text/csv', 'content-encoding': 'gzip' };
    await together(8, async () => {
      while (!until.aborted) {
        answered(await client.post('/v1/submissions?declaration=file-upload-1', bomb, headers));
        answered(await client.post('/v1/streams', bomb, { ...headers, 'idempotency-key': randomUUID() }));
      }
    });
  },
  'a compressed stream of nothing but line ends': async (load, until) => {
    const client = await load.account();
    const blank = gzipSync(Buffer.alloc(16 * 1024 * 1024, '\n'));
    function* pieces(): Generator<Buffer> {
      yield gzipSync([...rowsOf(load.supplier, load.models, { series: load.series(), rows: 1 })].join(''));
      while (!until.aborted) yield blank;
    }
    await client.stream(pieces(), {
      idempotencyKey: randomUUID(),
      headers: { 'content-encoding': 'gzip' },
    });
  },
};

/** One upload and one look-up after the other, by an account that has nothing to do with the disturbance. */
export async function runDisturbed(load: LoadFleet, by: string, seconds: number): Promise<Disturbed> {
  const normal = await load.account();
  await caughtUp(normal, load.series());
  const ending = new AbortController();
  const answers: Record<string, number> = {};
  forgetPeak(load.gatewayPid);
  const disturbing = disturbances[by]!(load, ending.signal, ({ status }) => {
    answers[status] = (answers[status] ?? 0) + 1;
  });
  const uploads: Answer[] = [];
  const lookups: Answer[] = [];
  await delay(1_000);
  const until = performance.now() + seconds * 1_000;
  let failure: unknown;
  disturbing.catch((error) => {
    failure = error;
  });
  while (performance.now() < until && failure === undefined) {
    const series = load.series();
    const file = fileOf(load.supplier, load.models, { series, rows: rowsOfNormal });
    uploads.push(await normal.upload(file));
    lookups.push(await normal.lookUp([`${series}000000000`, `${series}000000001`]));
    await delay(pauseMs);
  }
  ending.abort();
  await disturbing;
  return {
    by,
    uploads: latenciesOf(uploads),
    lookups: latenciesOf(lookups),
    answers,
    peak: memoryOf(load.gatewayPid).peak,
  };
}

/** What was accepted before is in the ledger: a look-up is not answered "not yet" for somebody else's backlog. */
async function caughtUp(client: LoadClient, series: string): Promise<void> {
  const until = performance.now() + backlogMs;
  // Serials enough for every partition to be asked.
  const serials = Array.from({ length: 64 }, (_, i) => `${series}${i}`);
  while ((await client.lookUp(serials)).text.includes('not_yet'))
    if (performance.now() > until) throw new Error(`the ledger is not complete after ${backlogMs} ms`);
}

function latenciesOf(answers: readonly Answer[]): Latencies {
  const well = answers.filter(({ status }) => status === 202 || status === 200).map(({ ms }) => ms);
  return {
    count: answers.length,
    failed: answers.length - well.length,
    ...latencyOf(well),
    max: Math.max(...well),
  };
}

async function streams(load: LoadFleet, until: AbortSignal, count: number): Promise<void> {
  const client = await load.account();
  await together(count, async () => {
    function* endless(): Generator<string> {
      for (const piece of rowsOf(load.supplier, load.models, {
        series: load.series(),
        rows: 1_000_000_000,
      })) {
        if (until.aborted) return;
        yield piece;
      }
    }
    await client.stream(endless(), { idempotencyKey: randomUUID() });
  });
}

/** One byte, ten times a second, for as long as the gateway waits. */
async function trickle(client: LoadClient, until: AbortSignal): Promise<void> {
  const sending = begin(client, 1_000_000);
  while (!until.aborted && !sending.destroyed) {
    sending.write('A');
    await delay(100);
  }
  sending.destroy();
}

function begin(client: LoadClient, bytes: number): ReturnType<LoadClient['open']> {
  const sending = client.open(
    '/v1/submissions?declaration=file-upload-1',
    { 'content-type': 'text/csv', 'content-length': bytes },
    false,
  );
  sending.on('error', () => undefined);
  sending.on('response', (response) => response.resume());
  return sending;
}

function together(count: number, work: () => Promise<void>): Promise<unknown> {
  return Promise.all(Array.from({ length: count }, work));
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
