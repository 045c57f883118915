import { Random } from '#test/simulation/random.ts';
import { AcceptedLog } from './accepted-log.ts';
import type { Fault, Scene } from './fault.ts';
import { Marks } from './marks.ts';
import type { Rig } from './rig.ts';
import { settled, type Verdict, verify } from './verify.ts';
import { type Accepted, Workload } from './workload.ts';

export interface FaultResult extends Verdict {
  readonly fault: string;
  readonly about: string;
  readonly injected: number;
  /** Processes that were started again. */
  readonly restarts: number;
  /** Requests that clients had to send again. */
  readonly repeated: number;
  /** From the moment it was put right until the ledger had everything that was accepted. */
  readonly recoverySeconds: number;
  readonly seconds: number;
}

export interface RunOptions {
  readonly rig: Rig;
  readonly faults: readonly Fault[];
  readonly seed: number;
  readonly rows: number;
  readonly progress: (text: string) => void;
  readonly onResult: (result: FaultResult) => void;
}

export function passed({ injected, lost, doubled, wrong }: FaultResult): boolean {
  return injected > 0 && lost === 0 && doubled === 0 && wrong === 0;
}

const olderMax = 400;

/** One fault after the other on the same fleet: what one leaves behind, the next one meets. */
export async function runFaults(options: RunOptions): Promise<readonly FaultResult[]> {
  const log = new AcceptedLog(options.rig.desk);
  const results: FaultResult[] = [];
  let older: readonly string[] = [];
  for (const [index, fault] of options.faults.entries()) {
    options.progress(`${index + 1} of ${options.faults.length}: ${fault.name}`);
    const workload = new Workload({
      rig: options.rig,
      seed: options.seed + 100 * index,
      prefix: `CM${String(index).padStart(3, '0')}`,
      rows: options.rows,
      older,
    });
    const result = await runFault(options, fault, workload, log);
    results.push(result);
    options.onResult(result);
    older = [...workload.serials, ...older].slice(0, olderMax);
    // The fleet is not what the next fault begins with: what it would show is not its own.
    if (result.faults.some((text) => text.startsWith(unfinished))) break;
  }
  return results;
}

const unfinished = 'not finished: ';

async function runFault(
  { rig, seed, progress }: RunOptions,
  fault: Fault,
  workload: Workload,
  log: AcceptedLog,
): Promise<FaultResult> {
  const { desk, keeper } = rig;
  const began = Date.now();
  const restarts = keeper.restarts;
  let injected = 0;
  let healedAt = began;
  let accepted: Accepted = { submissions: new Map(), claims: new Set(), repeated: 0 };
  let verdict: Verdict = { rows: 0, claims: 0, lost: 0, doubled: 0, wrong: 0, faults: [] };
  let settledAt = began;
  try {
    await keeper.allUp();
    const from = await Marks.now(desk);
    await workload.begin();
    const scene: Scene = { rig, workload, random: new Random(seed), progress };
    try {
      injected = await Promise.race([fault.inject(scene), workload.failed]);
    } finally {
      await fault.heal?.(scene);
      healedAt = Date.now();
    }
    accepted = await workload.finish();
    await keeper.allUp();
    const events = await log.claimEvents(from, await Marks.now(desk));
    await settled(desk, accepted, events);
    settledAt = Date.now();
    verdict = await verify(desk, { log, from, since: began, accepted, events });
  } catch (error) {
    const { message, stack } = error as Error;
    verdict = { ...verdict, wrong: verdict.wrong + 1, faults: [`${unfinished}${message}`, stack ?? ''] };
  }
  const surprises = keeper.takeSurprises();
  return {
    fault: fault.name,
    about: fault.about,
    injected,
    restarts: keeper.restarts - restarts,
    repeated: accepted.repeated,
    ...verdict,
    wrong: verdict.wrong + surprises.length,
    faults: [...verdict.faults, ...surprises],
    recoverySeconds: Math.max(settledAt - healedAt, 0) / 1_000,
    seconds: (Date.now() - began) / 1_000,
  };
}
