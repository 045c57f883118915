import { keys } from '#certificate/decide/claims-state.ts';
import { boundsOf, readLog } from '#shared/adapters/kafka/read-log.ts';
import { indexPrefix, topicName } from '#shared/adapters/kafka/topics.ts';
import { translated } from '#shared/adapters/redis/client.ts';
import { stateKey } from '#shared/adapters/redis/state-store.ts';
import { sequenceOf } from '#shared/domain/claims/index.ts';
import { count, type RecoveryContext } from '../recovery/context.ts';
import { scanOptions } from '../recovery/ledger.ts';
import type { LiveIndex } from './positions.ts';
import type { Report } from './report.ts';
import { firstSince, type Since } from './submissions.ts';

interface Issue {
  readonly unit: string;
  readonly account: string;
  readonly year: number;
  readonly first: number;
  readonly last: number;
  readonly certificates: number;
  readonly claim: string;
}

/** Certificates are numbered from 1 without gap or repeat (CERT-2), and each unit has one code of its own. */
export async function checkCertificates(
  { clickhouse }: RecoveryContext,
  report: Report,
  live: LiveIndex,
): Promise<void> {
  const check = 'certificates';
  const blocks = clickhouse.queryStream<Issue>(
    `SELECT unit, account, certificate_year AS year, first_number AS first, last_number AS last, certificates, claim
     FROM claims FINAL WHERE decision = 'approved' AND certificates > 0 AND evidenced_offset <= {cut:Int64}
     ORDER BY unit, year, first`,
    { cut: live.cut },
    scanOptions,
  );
  let certificates = 0;
  let before: { readonly sequence: string; readonly last: number } | undefined;
  for await (const block of blocks)
    for (const issue of block) {
      // Whatever a sequence runs over, it lies within one unit and year: the order of this query keeps it together.
      const sequence = sequenceOf(issue);
      const next = before?.sequence === sequence ? before.last + 1 : 1;
      if (issue.first !== next || issue.last - issue.first + 1 !== issue.certificates)
        report.differs(
          check,
          `claim ${issue.claim}: ${issue.certificates} certificates numbered ${issue.first} to ${issue.last} of unit ${issue.unit} and year ${issue.year}, number ${next} comes next`,
        );
      certificates += issue.certificates;
      before = { sequence, last: issue.last };
    }
  const codes = await clickhouse.query<{ code: string; units: number }>(
    `SELECT accreditation_code AS code, uniqExact(unit) AS units FROM claims FINAL
     WHERE accreditation_code != '' GROUP BY code HAVING units > 1`,
    {},
    scanOptions,
  );
  for (const { code, units } of codes) report.differs(check, `the code ${code} was given to ${units} units`);
  const units = await clickhouse.query<{ unit: string; codes: readonly string[] }>(
    `SELECT unit, groupUniqArray(accreditation_code) AS codes FROM claims FINAL
     WHERE accreditation_code != '' GROUP BY unit HAVING length(codes) > 1`,
    {},
    scanOptions,
  );
  for (const { unit, codes: given } of units)
    report.differs(check, `unit ${unit} has several codes: ${given.join(', ')}`);
  report.looked(check, `${count(certificates)} certificates in unbroken sequences, one code a unit`);
}

const eventsAtOnce = 1_000;

/** Every claim event in the logs is in the ledger or a dead letter, as far as decide has come. */
export async function checkClaimLogs(
  context: RecoveryContext,
  report: Report,
  live: LiveIndex,
  { since }: Since,
): Promise<void> {
  const { kafka } = context;
  const sources = await decidedSources(context, report, live);
  const ledger = new LedgerEvents(context, report);
  const evidenced = topicName('claims.evidenced');
  await readLog({
    kafka,
    topic: evidenced,
    ranges: [{ partition: 0, from: await firstSince(context, evidenced, 0, since), to: live.cut + 1 }],
    read: (message) =>
      ledger.expect(message.headers.event, `${evidenced} offset ${message.offset}`, [
        `decide 0 ${message.offset}`,
        `ledger-writer of claims 0 ${message.offset}`,
      ]),
  });
  await ledger.compare();
  const submitted = topicName('claims.submitted');
  const ranges = await Promise.all(
    [...sources].map(async ([partition, offset]) => ({
      partition,
      from: await firstSince(context, submitted, partition, since),
      to: offset + 1,
    })),
  );
  await readLog({
    kafka,
    topic: submitted,
    ranges,
    read: (message, partition) =>
      ledger.expect(message.headers.event, `${submitted}/${partition} offset ${message.offset}`, [
        `gather ${partition} ${message.offset}`,
      ]),
  });
  await ledger.compare();
  report.looked('claims in the log', `${count(ledger.events)} events in the logs are in the ledger`);
}

class LedgerEvents {
  readonly #context: RecoveryContext;
  readonly #report: Report;
  #waiting: { readonly event: string; readonly place: string }[] = [];
  #dead: ReadonlySet<string> | undefined;
  /** Events that lie in dead letters. */
  readonly #excused = new Set<string>();
  events = 0;

  constructor(context: RecoveryContext, report: Report) {
    this.#context = context;
    this.#report = report;
  }

  /** `letters`: the dead letters that it may have become. */
  async expect(event: string | undefined, place: string, letters: readonly string[]): Promise<undefined> {
    if (event === undefined || this.#excused.has(event)) return undefined;
    this.#dead ??= await this.#deadLetters();
    if (letters.some((letter) => this.#dead?.has(letter))) {
      this.#excused.add(event);
      return undefined;
    }
    this.events += 1;
    this.#waiting.push({ event, place });
    if (this.#waiting.length >= eventsAtOnce) await this.compare();
    return undefined;
  }

  async compare(): Promise<void> {
    const asked = this.#waiting;
    this.#waiting = [];
    if (asked.length === 0) return;
    const known = await this.#context.clickhouse.query<{ event: string }>(
      `SELECT DISTINCT event FROM claims WHERE event IN {events:Array(String)}
       UNION DISTINCT SELECT submission AS event FROM dead_letters
       WHERE stage IN ('gather', 'decide') AND submission IN {events:Array(String)}`,
      { events: asked.map(({ event }) => event) },
    );
    const events = new Set(known.map(({ event }) => event));
    for (const { event, place } of asked)
      if (!events.has(event))
        this.#report.differs('claims in the log', `event ${event} at ${place} is not in the ledger`);
  }

  async #deadLetters(): Promise<ReadonlySet<string>> {
    const rows = await this.#context.clickhouse.query<{ letter: string }>(
      `SELECT DISTINCT concat(stage, ' ', toString(partition), ' ', toString(origin)) AS letter FROM dead_letters
       WHERE stage IN ('gather', 'decide', 'ledger-writer of claims')`,
    );
    return new Set(rows.map(({ letter }) => letter));
  }
}

/** Up to which offset of each partition of `claims.submitted` decide has come. */
async function decidedSources(
  { kafka, redis }: RecoveryContext,
  report: Report,
  live: LiveIndex,
): Promise<ReadonlyMap<number, number>> {
  const scope = { name: live.scope, generation: live.generation.generation };
  const found = await translated(
    redis.hgetall(stateKey(indexPrefix, scope, keys.sources)),
    'reading the state of claims',
  );
  const bounds = await boundsOf(kafka, topicName('claims.submitted'));
  const sources = new Map<number, number>();
  for (const [partition, offset] of Object.entries(found)) {
    const end = bounds.get(Number(partition))?.high ?? 0;
    if (Number(offset) >= end)
      report.differs(
        'claims in the log',
        `decide has read offset ${offset} of partition ${partition}, which ends at ${end}`,
      );
    sources.set(Number(partition), Math.min(Number(offset), end - 1));
  }
  return sources;
}
