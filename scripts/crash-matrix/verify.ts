import { checkConservation } from '#shared/adapters/clickhouse/conservation.ts';
import { topicName } from '#shared/adapters/kafka/topics.ts';
import { type ClaimEvent, decideAgain } from '#shared/domain/claims/index.ts';
import { audit } from '#test/support/claims-audit.ts';
import { until } from '../demo/client.ts';
import { decidedClaims } from '../reassess/decided-claims.ts';
import { reconcile } from '../reconcile/reconcile.ts';
import type { AcceptedLog, ExpectedRow } from './accepted-log.ts';
import { Marks } from './marks.ts';
import type { Desk } from './rig.ts';
import type { Accepted } from './workload.ts';

/** What a fault has left behind. */
export interface Verdict {
  readonly rows: number;
  readonly claims: number;
  /** Accepted and not in the ledger: rows, and events of claims. */
  readonly lost: number;
  /** Rows, entries, registrations, claims and certificate numbers that are there twice, or were never accepted. */
  readonly doubled: number;
  /** Rows with another outcome or entry than the log says, and whatever else is not as it must be. */
  readonly wrong: number;
  /** Some of it in words. */
  readonly faults: readonly string[];
}

const settleTimeoutMs = 180_000;
const toldMax = 12;

/** Resolves when the ledger has everything that was accepted: serials by the watermark, the rest by name. */
export async function settled(
  desk: Desk,
  accepted: Accepted,
  events: ReadonlyMap<string, ClaimEvent>,
): Promise<void> {
  const { clickhouse, partitions } = desk.context;
  const stamps = await again(() => desk.tick(Array.from({ length: partitions }, (_, i) => i)));
  const behind = async () => {
    const marks = await clickhouse.query<{ partition: number; origin: number }>(
      'SELECT partition, max(origin) AS origin FROM watermarks WHERE topic = {topic:String} GROUP BY partition',
      { topic: topicName('serials.decided') },
    );
    const origins = new Map(marks.map(({ partition, origin }) => [partition, origin]));
    return [...stamps].filter(([partition, stamp]) => (origins.get(partition) ?? -1) < stamp).length;
  };
  const nothing = (left: number) => left === 0;
  await until('the watermarks', () => again(behind), nothing, settleTimeoutMs);
  const ids = [...accepted.submissions.keys()];
  const manifests = () => missing(desk, 'submissions', 'toString(submission)', ids);
  await until('the manifests', () => again(manifests), nothing, settleTimeoutMs);
  const claims = () => missing(desk, 'claims', 'event', [...events.keys()]);
  await until('the decisions on claims', () => again(claims), nothing, settleTimeoutMs);
}

async function missing(
  desk: Desk,
  table: string,
  column: string,
  wanted: readonly string[],
): Promise<number> {
  const [found] = await desk.context.clickhouse.query<{ found: number }>(
    `SELECT toUInt32(uniqExact(${column})) AS found FROM ${table} WHERE ${column} IN {wanted:Array(String)}`,
    { wanted },
  );
  return wanted.length - (found?.found ?? 0);
}

const patienceMs = 60_000;

/** Engines may still be coming up. */
async function again<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Compares the ledger with what the log says must be in it; then Kafka, Redis and ClickHouse with each other. */
export async function verify(
  desk: Desk,
  options: {
    readonly log: AcceptedLog;
    readonly from: Marks;
    readonly since: number;
    readonly accepted: Accepted;
    readonly events: ReadonlyMap<string, ClaimEvent>;
  },
): Promise<Verdict> {
  const { log, from, since, accepted, events } = options;
  const expected = await log.rows(from, await Marks.now(desk));
  const findings = new Findings();
  checkAccepted(accepted, expected, events, findings);
  await checkRows(desk, expected, findings);
  await checkSerials(desk, expected, findings);
  await checkBalance(desk, since, findings);
  await checkClaims(desk, events, findings);
  const report = await reconcile(desk.context, { since, patienceMs, shownMax: 3 });
  for (const { check, differences, shown } of report.checked)
    if (differences > 0) findings.wrong(differences, `reconcile, ${check}: ${shown.join('; ')}`);
  return { rows: expected.size, claims: events.size, ...findings.verdict() };
}

class Findings {
  #lost = 0;
  #doubled = 0;
  #wrong = 0;
  readonly #told: string[] = [];

  lost(count: number, text: string): void {
    this.#lost += count;
    this.#tell(`lost: ${text}`);
  }

  doubled(count: number, text: string): void {
    this.#doubled += count;
    this.#tell(`doubled: ${text}`);
  }

  wrong(count: number, text: string): void {
    this.#wrong += count;
    this.#tell(`wrong: ${text}`);
  }

  verdict() {
    return { lost: this.#lost, doubled: this.#doubled, wrong: this.#wrong, faults: this.#told };
  }

  #tell(text: string): void {
    if (this.#told.length < toldMax) this.#told.push(text);
  }
}

/** An answer of 202 is a promise: it must be in the log. */
function checkAccepted(
  accepted: Accepted,
  expected: ReadonlyMap<string, ExpectedRow>,
  events: ReadonlyMap<string, ClaimEvent>,
  findings: Findings,
): void {
  const rows = new Map<string, number>();
  for (const { submission } of expected.values()) rows.set(submission, (rows.get(submission) ?? 0) + 1);
  for (const [id, sent] of accepted.submissions) {
    const there = rows.get(id) ?? 0;
    if (there < sent) findings.lost(sent - there, `${sent - there} of ${sent} rows of submission ${id}`);
    if (there > sent) findings.doubled(there - sent, `${there} instead of ${sent} rows of submission ${id}`);
  }
  for (const id of rows.keys())
    if (!accepted.submissions.has(id)) findings.wrong(1, `submission ${id} was never answered with 202`);
  const claims = new Set([...events.values()].map(({ claim }) => claim));
  for (const claim of accepted.claims) if (!claims.has(claim)) findings.lost(1, `claim ${claim}`);
}

interface LedgerRow {
  readonly submission: string;
  readonly row: number;
  readonly outcome: string;
  readonly entry: number;
  readonly note: string;
}

/** Every row is in the ledger once: among the entries, or among the rows that made none. */
async function checkRows(
  desk: Desk,
  expected: ReadonlyMap<string, ExpectedRow>,
  findings: Findings,
): Promise<void> {
  const submissions = [...new Set([...expected.values()].map(({ submission }) => submission))];
  const rows = await desk.context.clickhouse.query<LedgerRow>(
    `SELECT toString(r.submission) AS submission, row, outcome, entry, decision_note AS note
     FROM serial_rows AS r FINAL WHERE entry > 0 AND r.submission IN {submissions:Array(UUID)}
     UNION ALL
     SELECT toString(u.submission) AS submission, row, outcome, 0 AS entry, '' AS note
     FROM unregistered_rows AS u FINAL WHERE u.submission IN {submissions:Array(UUID)}`,
    { submissions },
  );
  const found = new Map<string, LedgerRow>();
  for (const row of rows) {
    const name = `${row.submission}/${row.row}`;
    const wanted = expected.get(name);
    if (found.has(name)) findings.doubled(1, `row ${name} is in the ledger twice`);
    else if (!wanted) findings.doubled(1, `row ${name} was never accepted`);
    else if (textOf(wanted) !== textOf(row))
      findings.wrong(1, `row ${name}, ${wanted.serial}: ${textOf(row)} instead of ${textOf(wanted)}`);
    found.set(name, row);
  }
  for (const [name, { outcome, serial }] of expected)
    if (!found.has(name)) findings.lost(1, `row ${name}, ${serial}: it should be ${outcome}`);
}

function textOf({ outcome, entry, note }: Pick<LedgerRow, 'outcome' | 'entry' | 'note'>): string {
  return entry > 0 ? `${outcome} as entry ${entry} ${note}`.trim() : outcome;
}

/** Of the ledger alone: entries of a serial are numbered without gap or repeat, and it is registered at most once at a time. */
async function checkSerials(
  desk: Desk,
  expected: ReadonlyMap<string, ExpectedRow>,
  findings: Findings,
): Promise<void> {
  const serials = [...new Set([...expected.values()].map(({ serial }) => serial))];
  const broken = await desk.context.clickhouse.query<{
    serial_key: string;
    holder_key: string;
    times: number;
  }>(
    `SELECT serial_key, holder_key, toInt32(abs(count() - max(entry)) + abs(count() - uniqExact(entry))
        + greatest(countIf(outcome = 'registered') - countIf(outcome = 'invalidated') - 1, 0)) AS times
     FROM serial_rows FINAL WHERE entry > 0 AND serial_key IN {serials:Array(String)}
     GROUP BY product, serial_key, holder_key HAVING times > 0`,
    { serials },
  );
  for (const { serial_key, holder_key, times } of broken)
    findings.doubled(times, `serial ${serial_key} of ${holder_key}: entries that do not follow each other`);
}

/** K5: received = sum of outcomes, for every submission, all of them final. */
async function checkBalance(desk: Desk, since: number, findings: Findings): Promise<void> {
  const { clickhouse, partitions } = desk.context;
  const balance = await checkConservation(clickhouse, {
    decidedTopic: topicName('serials.decided'),
    partitions,
    since,
    examplesMax: 3,
  });
  if (balance.pending > 0) findings.wrong(balance.pending, `${balance.pending} submissions are not final`);
  if (balance.differing > 0)
    findings.wrong(balance.rows, `outcomes do not add up: ${JSON.stringify(balance.examples)}`);
}

/** Each event decided once; no serial in two live claims; numbers of each unit from 1 without gap; given what is due. */
async function checkClaims(
  desk: Desk,
  events: ReadonlyMap<string, ClaimEvent>,
  findings: Findings,
): Promise<void> {
  const claims = [...new Set([...events.values()].map(({ claim }) => claim))];
  const decided = await decidedClaims(desk.context.clickhouse, claims);
  const byEvent = Map.groupBy(decided, ({ event }) => event);
  for (const event of events.keys()) if (!byEvent.has(event)) findings.lost(1, `event ${event} of a claim`);
  for (const [event, times] of byEvent)
    if (times.length > 1) findings.doubled(times.length - 1, `event ${event} was decided twice`);
  const byOffset = new Map(decided.map((claim) => [claim.evidenced_offset, claim]));
  try {
    const { numbers, certificates, entitled } = audit((offset) => byOffset.get(offset)!, byOffset);
    for (const [sequence, given] of numbers)
      if (Math.min(...given) !== 1 || Math.max(...given) !== given.size)
        findings.wrong(1, `certificates of ${sequence} have a gap`);
    if (certificates !== entitled)
      findings.doubled(
        Math.abs(certificates - entitled),
        `${certificates} certificates instead of ${entitled}`,
      );
  } catch (error) {
    findings.doubled(1, (error as Error).message);
  }
  for (const claim of decided) {
    if (claim.kind !== 'claim' || claim.decision === 'not_applied') continue;
    const decision = decideAgain(claim);
    if (decision && (decision.decision !== claim.decision || decision.certificates !== claim.certificates))
      findings.wrong(1, `claim ${claim.claim}: ${claim.decision} does not follow from its own evidence`);
  }
}
