import { serialStages } from '#shared/adapters/clickhouse/conservation.ts';
import { type KeptLetter, readDeadLetter } from '#shared/adapters/kafka/dead-letters.ts';
import { boundsOf, readLog } from '#shared/adapters/kafka/read-log.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';
import type { RecoveryContext } from '../recovery/context.ts';

/** Everything that is told of a dead letter, without its bytes. */
export type LetterHead = Omit<KeptLetter, 'value' | 'key' | 'headers'>;

/**
 * waiting: nobody did anything yet. replayed: sent again, its rows are not in the ledger yet. settled: they are.
 * discarded: given up, on record.
 */
export type LetterState = 'waiting' | 'replayed' | 'settled' | 'discarded';
export const letterStates = ['waiting', 'replayed', 'settled', 'discarded'] as const;

export interface Letter extends LetterHead {
  readonly state: LetterState;
  /** Numbers of further letters for the very same message: it was set aside again after a crash. */
  readonly copies: readonly number[];
}

export interface LetterFilter {
  readonly numbers?: readonly number[];
  readonly stage?: string;
  /** Part of the cause. */
  readonly reason?: string;
  /** Id of the submission, or of a claim's event. */
  readonly submission?: string;
  /** Kept at or after, and before: epoch milliseconds. */
  readonly since?: number;
  readonly until?: number;
  readonly states?: readonly LetterState[];
}

/** Stages whose letters are events of claims. */
const claimStages = ['gather', 'decide'];

export async function listLetters(
  context: RecoveryContext,
  filter: LetterFilter,
): Promise<readonly Letter[]> {
  const letters = await withStates(context, await readHeads(context, filter));
  return letters.filter(({ state }) => filter.states?.includes(state) ?? true);
}

/** The same letters, as they stand now. */
export async function withStates(
  context: RecoveryContext,
  heads: readonly Omit<Letter, 'state'>[],
): Promise<readonly Letter[]> {
  const states = await readStates(context, heads);
  return heads.map((head) => ({ ...head, state: states(head) }));
}

/** The letters with these numbers, with their bytes. */
export async function readLetters(
  { kafka }: RecoveryContext,
  numbers: readonly number[],
): Promise<ReadonlyMap<number, KeptLetter>> {
  const wanted = new Set(numbers);
  const found = new Map<number, KeptLetter>();
  if (numbers.length === 0) return found;
  await readLog({
    kafka,
    topic: topicName('dead.letters'),
    ranges: [{ partition: 0, from: Math.min(...numbers), to: Math.max(...numbers) + 1 }],
    read(message) {
      if (wanted.has(message.offset)) found.set(message.offset, readDeadLetter(message));
      return undefined;
    },
  });
  return found;
}

async function readHeads(
  context: RecoveryContext,
  filter: LetterFilter,
): Promise<readonly Omit<Letter, 'state'>[]> {
  const { kafka } = context;
  const topic = topicName('dead.letters');
  const bounds = await boundsOf(kafka, topic);
  const heads = new Map<string, LetterHead & { readonly copies: number[] }>();
  await readLog({
    kafka,
    topic,
    ranges: [{ partition: 0, from: bounds.get(0)?.low ?? 0, to: bounds.get(0)?.high ?? 0 }],
    read(message) {
      const { value: _, key: __, headers: ___, ...head } = readDeadLetter(message);
      const place = JSON.stringify([head.stage, head.topic, head.partition, head.offset]);
      const first = heads.get(place);
      if (first) first.copies.push(head.number);
      else heads.set(place, { ...head, copies: [] });
      return undefined;
    },
  });
  return [...heads.values()].filter((head) => matches(head, filter));
}

function matches(
  head: Omit<Letter, 'state'>,
  { numbers, stage, reason, submission, since, until }: LetterFilter,
): boolean {
  if (numbers && ![head.number, ...head.copies].some((number) => numbers.includes(number))) return false;
  if (stage !== undefined && head.stage !== stage) return false;
  if (reason !== undefined && !head.cause.toLowerCase().includes(reason.toLowerCase())) return false;
  if (submission !== undefined && head.subject !== submission) return false;
  return head.keptAt >= (since ?? 0) && head.keptAt < (until ?? Number.POSITIVE_INFINITY);
}

/** What a letter is known by in the table `dead_letters`. */
export function tableKey(letter: {
  readonly stage: string;
  readonly partition: number;
  readonly origin: number;
  readonly submission: string;
  readonly batch: number;
}): string {
  const { stage, partition, origin, submission, batch } = letter;
  return JSON.stringify([stage, partition, origin, submission, batch]);
}

async function readStates(
  { clickhouse }: RecoveryContext,
  heads: readonly Omit<Letter, 'state'>[],
): Promise<(head: Omit<Letter, 'state'>) => LetterState> {
  const table = await clickhouse.query<{
    stage: string;
    partition: number;
    origin: number;
    submission: string;
    batch: number;
    state: number;
  }>(
    `SELECT stage, partition, origin, submission, batch, max(settled) AS state FROM dead_letters
     GROUP BY stage, partition, origin, submission, batch`,
  );
  const settled = new Map(table.map((row) => [tableKey(row), row.state]));
  const actions = await clickhouse.query<{ letter: number; action: string }>(
    'SELECT DISTINCT letter, action FROM dead_letter_actions',
  );
  const done = new Set(actions.map(({ letter, action }) => `${letter} ${action}`));
  const decided = await decidedEvents(clickhouse, heads);
  const there = await batchesThere(clickhouse, heads);
  return (head) => {
    const known = settled.get(tableKey(head));
    const did = (action: string) =>
      [head.number, ...head.copies].some((number) => done.has(`${number} ${action}`));
    if (known === 1 || (claimStages.includes(head.stage) && decided.has(head.submission))) return 'settled';
    if (known === undefined && holdsRows(head) && there.has(batchName(head))) return 'settled';
    if (known === 2 || did('discard')) return 'discarded';
    return did('replayed') ? 'replayed' : 'waiting';
  };
}

/** Letters of rows. Whoever keeps one may die before the table knows of it, and its rows may arrive all the same. */
function holdsRows({ stage, rows }: LetterHead): boolean {
  return rows > 0 && (serialStages as readonly string[]).includes(stage);
}

function batchName({ submission, batch }: Pick<LetterHead, 'submission' | 'batch'>): string {
  return `${submission} ${batch}`;
}

/** Batches of these letters whose rows the ledger has. */
async function batchesThere(
  clickhouse: RecoveryContext['clickhouse'],
  heads: readonly LetterHead[],
): Promise<ReadonlySet<string>> {
  const submissions = [...new Set(heads.filter(holdsRows).map(({ submission }) => submission))];
  if (submissions.length === 0) return new Set();
  const rows = await clickhouse.query<{ submission: string; batch: number }>(
    `SELECT DISTINCT toString(b.submission) AS submission, batch FROM batch_outcomes AS b
     WHERE b.submission IN arrayMap(id -> toUUIDOrZero(id), {submissions:Array(String)})`,
    { submissions },
  );
  return new Set(rows.map(batchName));
}

/** A claim's letter is settled when the ledger has its event, whichever way it came. */
async function decidedEvents(
  clickhouse: RecoveryContext['clickhouse'],
  heads: readonly LetterHead[],
): Promise<ReadonlySet<string>> {
  const events = heads
    .filter(({ stage, submission }) => claimStages.includes(stage) && submission !== '')
    .map(({ submission }) => submission);
  if (events.length === 0) return new Set();
  const rows = await clickhouse.query<{ event: string }>(
    'SELECT DISTINCT event FROM claims WHERE event IN {events:Array(String)}',
    { events },
  );
  return new Set(rows.map(({ event }) => event));
}
