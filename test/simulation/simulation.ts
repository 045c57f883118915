import type { Codec } from '#shared/codec/codec.ts';
import { topics } from './codecs.ts';
import { Random } from './random.ts';
import type { FaultKind } from './weather.ts';
import { partitions, World } from './world.ts';

export interface RunResult {
  readonly seed: number;
  readonly steps: number;
  /** Two runs of one seed have the same. */
  readonly digest: number;
  readonly submissions: number;
  readonly rows: number;
  readonly faults: ReadonlyMap<FaultKind, number>;
  readonly replays: number;
  readonly rebuilds: number;
  readonly violation?: string;
  /** The last steps before the violation. */
  readonly trace: readonly string[];
}

const stormStepsMax = 700;
const calmStepsMax = 12_000;
const nightStepsMax = 2_000;
const checkEvery = 16;

/** One run: some days of load and faults, each followed by calm in which everything must come right. */
export async function simulate(seed: number, codec: Codec): Promise<RunResult> {
  const world = new World(new Random(seed), codec);
  const uninstall = world.scheduler.install();
  const broken = (error: unknown) =>
    world.audit.wrong(`an error nobody handled: ${error instanceof Error ? error.stack : String(error)}`);
  process.on('unhandledRejection', broken);
  try {
    const days = world.random.between(1, 2);
    for (let day = 0; day < days && !world.audit.violation; day++) {
      await storm(world);
      await calm(world);
      if (day + 1 < days) await night(world);
    }
  } finally {
    process.off('unhandledRejection', broken);
    uninstall();
  }
  const { scheduler, audit, weather, operator } = world;
  return {
    seed,
    steps: scheduler.steps,
    digest: scheduler.digest,
    submissions: new Set(audit.manifests.map(({ submission }) => submission.id)).size,
    rows: audit.rows,
    faults: weather.counts,
    replays: operator.replays,
    rebuilds: operator.rebuilds,
    ...(audit.violation === undefined ? {} : { violation: audit.violation }),
    trace: audit.violation === undefined ? [] : scheduler.trace(),
  };
}

async function storm(world: World): Promise<void> {
  const { random, audit, operator, ledger } = world;
  world.weather.calm = false;
  world.startAll();
  let submissions = random.between(2, 6);
  const until = world.scheduler.steps + random.between(100, stormStepsMax);
  while (!audit.violation && world.scheduler.steps < until) {
    if (submissions > 0 && random.chance(0.02)) {
      submissions -= 1;
      world.submit();
    }
    if (random.chance(0.01)) world.tick();
    if (random.chance(0.02)) {
      const letters = ledger.unsettled();
      if (letters.length > 0) operator.replay(random.pick(letters));
    }
    if (random.chance(0.02)) await rebuildWhatIsLost(world);
    world.strike();
    await world.scheduler.turn();
    if (world.scheduler.steps % (4 * checkEvery) === 0) audit.conservation(ledger);
  }
  while (submissions-- > 0) world.submit();
}

async function calm(world: World): Promise<void> {
  const { audit, ledger, scheduler, random } = world;
  world.weather.calm = true;
  world.mend();
  const replayed = new Set<string>();
  const replaysFrom = scheduler.steps + random.pick([0, 0, 400]);
  let restarts = random.chance(0.5);
  const until = scheduler.steps + calmStepsMax;
  while (!audit.violation) {
    await scheduler.turn();
    if (scheduler.steps % checkEvery !== 0) continue;
    await rebuildWhatIsLost(world);
    if (scheduler.steps < replaysFrom) continue;
    // Crash list 13: a ledger-writer restarted while a dead letter is unsettled.
    if (restarts) world.restart('ledger-writer');
    restarts = false;
    replayOnce(world, replayed);
    const missing = whatIsMissing(world);
    if (missing === undefined) {
      audit.atRest(ledger);
      return;
    }
    if (scheduler.steps > until) audit.wrong(`does not come to rest: ${missing}`);
  }
}

/** Each letter is replayed once: that must do. */
function replayOnce({ ledger, operator }: World, replayed: Set<string>): void {
  for (const letter of ledger.unsettled()) {
    const { stage, partition, origin, submission, batch } = letter;
    const key = JSON.stringify([stage, partition, origin, submission, batch]);
    if (!replayed.has(key)) operator.replay(letter);
    replayed.add(key);
  }
}

/** What happens between two days. It takes long: no request of before is under way any more when it has happened. */
async function night(world: World): Promise<void> {
  const { weather, scheduler } = world;
  weather.calm = false;
  const passes = weather.strikes('retention passed');
  weather.calm = true;
  if (!passes) return;
  for (let turns = 0; !scheduler.isQuiet; turns++) {
    if (turns > nightStepsMax) {
      world.audit.wrong('does not come to rest at night');
      return;
    }
    await scheduler.turn();
  }
  await world.passRetention();
}

async function rebuildWhatIsLost({ operator }: World): Promise<void> {
  for (let partition = 0; partition < partitions; partition++)
    if (await operator.isLost(partition)) await operator.rebuild(partition);
}

/** Why the ledger is not complete yet; undefined when it is. */
function whatIsMissing({ ledger, broker, unanswered }: World): string | undefined {
  if (unanswered > 0) return `${unanswered} submissions are not answered`;
  const letters = ledger.unsettled();
  if (letters.length > 0) return `dead letters are not settled: ${JSON.stringify(letters)}`;
  for (let partition = 0; partition < partitions; partition++) {
    const log = broker.logs.of(topics.submitted, partition);
    const last = [...log.committed(0, log.stable)].at(-1)?.offset ?? -1;
    const watermark = ledger.watermark(partition);
    if (watermark < last || log.stable < log.end)
      return `the watermark of partition ${partition} is ${watermark}, the last origin ${last}`;
  }
  return undefined;
}
