// Messages that could not be processed: lists them, shows them, sends them again, or gives them up.
import { writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { requireMigrations } from '#shared/adapters/clickhouse/migrations.ts';
import { type Actor, discardLetters, replayLetters } from './dead-letters/actions.ts';
import {
  type Letter,
  type LetterFilter,
  type LetterState,
  letterStates,
  listLetters,
  readLetters,
  withStates,
} from './dead-letters/letters.ts';
import { until } from './demo/client.ts';
import { complain, count, type RecoveryContext, runTool, say } from './recovery/context.ts';

const usage = `usage: npm run dead-letters -- list                what waits for somebody
    -- show N [--bytes FILE]      everything about letter N; its bytes into FILE
    -- replay N ... | FILTER      sends them again, with the identities they had; waits until their rows are in the ledger
    -- discard N ... | FILTER --why TEXT [--by NAME] [--decided]
                                  gives them up: who, when and why is kept for ever
  FILTER: --stage NAME, --reason TEXT (part of the cause), --submission ID, --since TIME, --until TIME, --all
  --state ${letterStates.join('|')}|all   list: default waiting and replayed
  --wait SECONDS   replay: how long to wait for the ledger (30)
  --json           list and show: one JSON object a line
  --dry-run        replay and discard: only say which
  Exit 0: done; 1: some of it was refused, or not settled in time; 2: it could not be done.`;

const commands = ['list', 'show', 'replay', 'discard'] as const;

interface Given {
  readonly command: (typeof commands)[number];
  readonly filter: LetterFilter;
  readonly bytes?: string;
  readonly json: boolean;
  readonly dryRun: boolean;
  readonly decided: boolean;
  readonly waitMs: number;
  readonly actor: Actor;
}

function read(argv: readonly string[]): Given | string {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      stage: { type: 'string' },
      reason: { type: 'string' },
      submission: { type: 'string' },
      since: { type: 'string' },
      until: { type: 'string' },
      state: { type: 'string' },
      all: { type: 'boolean', default: false },
      bytes: { type: 'string' },
      why: { type: 'string' },
      by: { type: 'string' },
      decided: { type: 'boolean', default: false },
      wait: { type: 'string', default: '30' },
      json: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const command = commands.find((known) => known === positionals[0]);
  if (!command) return `the first word is one of ${commands.join(', ')}`;
  const numbers = positionals.slice(1).map(Number);
  if (numbers.some((number) => !Number.isInteger(number) || number < 0))
    return 'letters are named by their numbers, as list shows them';
  const times = { since: timeOf(values.since), until: timeOf(values.until) };
  if (Number.isNaN(times.since) || Number.isNaN(times.until))
    return '--since and --until are times as 2026-11-24T09:30:00Z';
  const states = statesOf(command, values.state);
  if (typeof states === 'string') return states;
  const filter: LetterFilter = {
    ...(numbers.length > 0 ? { numbers } : {}),
    ...(values.stage === undefined ? {} : { stage: values.stage }),
    ...(values.reason === undefined ? {} : { reason: values.reason }),
    ...(values.submission === undefined ? {} : { submission: values.submission }),
    ...(times.since === undefined ? {} : { since: times.since }),
    ...(times.until === undefined ? {} : { until: times.until }),
    ...(states ? { states } : {}),
  };
  if (command === 'show' && numbers.length !== 1) return 'show takes the number of one letter';
  const named = Object.keys(filter).some((key) => key !== 'states');
  if ((command === 'replay' || command === 'discard') && !named && !values.all)
    return 'say which: numbers, a filter, or --all';
  const why = values.why?.trim() ?? '';
  if (command === 'discard' && why === '') return 'a discard says why: --why TEXT';
  const waitMs = Number(values.wait) * 1_000;
  if (!(waitMs >= 0)) return '--wait is a number of seconds';
  return {
    command,
    filter,
    ...(values.bytes === undefined ? {} : { bytes: values.bytes }),
    json: values.json,
    dryRun: values['dry-run'],
    decided: values.decided,
    waitMs,
    actor: { by: values.by ?? `${userInfo().username}@${hostname()}`, why, now: () => new Date() },
  };
}

function timeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}

/** Nothing: whatever state they are in. What is named by its number is looked at as it is. */
function statesOf(
  command: Given['command'],
  text: string | undefined,
): readonly LetterState[] | undefined | string {
  if (text === 'all') return undefined;
  if (text !== undefined) {
    const state = letterStates.find((known) => known === text);
    return state ? [state] : `--state is one of ${letterStates.join(', ')}, all`;
  }
  return command === 'list' ? ['waiting', 'replayed'] : undefined;
}

const time = (at: number): string => new Date(at).toISOString();

function line({
  number,
  keptAt,
  stage,
  topic,
  partition,
  offset,
  rows,
  cause,
  subject,
  batch,
  state,
  copies,
}: Letter) {
  const of = subject === '' ? 'nothing that it names' : `${subject}${batch > 0 ? ` batch ${batch}` : ''}`;
  const again = copies.length > 0 ? `, set aside ${1 + copies.length} times` : '';
  return `${number}  ${time(keptAt)}  ${state}  ${stage}: ${cause}; ${rows} rows of ${of}, from ${topic}/${partition} offset ${offset}${again}`;
}

async function list(context: RecoveryContext, { filter, json }: Given): Promise<number> {
  const letters = await listLetters(context, filter);
  for (const letter of letters) say(json ? JSON.stringify(letter) : line(letter));
  const rows = letters.reduce((sum, letter) => sum + letter.rows, 0);
  if (!json) say(`${count(letters.length)} dead letters, ${count(rows)} rows`);
  return 0;
}

interface ActionRow {
  readonly at: string;
  readonly action: string;
  readonly by: string;
  readonly why: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

async function show(context: RecoveryContext, { filter, json, bytes }: Given): Promise<number> {
  const [letter] = await listLetters(context, filter);
  const kept = letter && (await readLetters(context, [letter.number])).get(letter.number);
  if (!letter || !kept) {
    complain(`there is no dead letter ${filter.numbers?.[0]}`);
    return 1;
  }
  const actions = await context.clickhouse.query<ActionRow>(
    `SELECT toString(at) AS at, action, by, why, topic, partition, offset FROM dead_letter_actions FINAL
     WHERE letter IN {letters:Array(UInt64)} ORDER BY dead_letter_actions.at`,
    { letters: [letter.number, ...letter.copies] },
  );
  if (bytes !== undefined) writeFileSync(bytes, kept.value);
  if (json) {
    say(JSON.stringify({ ...letter, headers: kept.headers, bytes: kept.value.toString('base64'), actions }));
    return 0;
  }
  say(line(letter));
  for (const [name, value] of Object.entries(kept.headers)) say(`  header ${name}: ${value}`);
  if (kept.key) say(`  key: ${kept.key}`);
  say(`  ${count(kept.value.length)} bytes${bytes === undefined ? '' : ` in ${bytes}`}, the first of them:`);
  say(`  ${kept.value.subarray(0, 64).toString('hex')}`);
  for (const { at, action, by, why, topic, partition, offset } of actions) {
    const where = topic === '' ? '' : ` as ${topic}/${partition} offset ${offset}`;
    say(`  ${at} ${action} by ${by}${where}${why === '' ? '' : `: ${why}`}`);
  }
  return 0;
}

async function chosen(context: RecoveryContext, given: Given): Promise<readonly Letter[] | undefined> {
  const letters = await listLetters(context, given.filter);
  const missing = given.filter.numbers?.filter(
    (number) => !letters.some((letter) => letter.number === number || letter.copies.includes(number)),
  );
  for (const number of missing ?? []) complain(`there is no such dead letter: ${number}`);
  if ((missing?.length ?? 0) > 0) return undefined;
  if (!given.dryRun) return letters;
  for (const letter of letters) say(line(letter));
  say(`${count(letters.length)} dead letters; nothing was done`);
  return [];
}

async function replay(context: RecoveryContext, given: Given): Promise<number> {
  const letters = await chosen(context, given);
  if (!letters) return 1;
  const results = await replayLetters(context, letters, given.actor);
  const sent: Letter[] = [];
  for (const result of results)
    if ('refused' in result) complain(`${result.letter.number} not replayed: ${result.refused}`);
    else {
      sent.push(result.letter);
      say(`${result.letter.number} sent again: ${result.topic}/${result.partition} offset ${result.offset}`);
    }
  if (sent.length === 0) return results.length === 0 ? 0 : 1;
  const left = await settled(context, sent, given.waitMs);
  say(`${count(sent.length - left)} of ${count(sent.length)} settled: their rows are in the ledger`);
  if (left > 0) complain(`${count(left)} not settled yet: list shows them, and whether they failed again`);
  return left === 0 && sent.length === results.length ? 0 : 1;
}

/** How many are not in the ledger when the time is over. What has no rows is never seen there. */
async function settled(
  context: RecoveryContext,
  letters: readonly Letter[],
  waitMs: number,
): Promise<number> {
  const withRows = letters.filter(({ rows }) => rows > 0);
  const open = async () =>
    (await withStates(context, withRows)).filter(({ state }) => state !== 'settled').length;
  try {
    return await until('the ledger', open, (left) => left === 0, waitMs);
  } catch {
    return open();
  }
}

async function discard(context: RecoveryContext, given: Given): Promise<number> {
  const letters = await chosen(context, given);
  if (!letters) return 1;
  const results = await discardLetters(context, letters, given.actor, { decided: given.decided });
  const rebuilds = new Set<string>();
  let refused = 0;
  for (const result of results)
    if ('refused' in result) {
      refused += 1;
      complain(`${result.letter.number} not discarded: ${result.refused}`);
    } else {
      say(
        `${result.letter.number} discarded by ${given.actor.by}: ${count(result.letter.rows)} rows given up`,
      );
      if (result.rebuild !== undefined) rebuilds.add(result.rebuild);
    }
  for (const which of rebuilds)
    say(`the index knows rows that the ledger will never have: npm run rebuild-index -- ${which}`);
  return refused === 0 ? 0 : 1;
}

const doing = { list, show, replay, discard } as const;

process.exitCode = await runTool({
  name: 'dead-letters',
  usage,
  argv: process.argv.slice(2),
  env: process.env,
  read,
  async work(context, given) {
    await requireMigrations(context.clickhouse);
    return doing[given.command](context, given);
  },
});
