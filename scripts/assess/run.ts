import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Clickhouse } from '#shared/adapters/clickhouse/client.ts';
import {
  type ClaimEvent,
  type DecidedClaim,
  emptyState,
  modelsOf,
  premisesOf,
} from '#shared/domain/claims/index.ts';
import { decidedClaims } from '../reassess/decided-claims.ts';
import { type Asked, AskedSets, dependencyKeys, premisesOfRow, serialKeysOf } from './asked.ts';
import { type Basis, beginJob, type ClaimFile, endJob, isDone, latestBasis } from './basis.ts';
import { type ClaimRow, claimRows } from './claim-rows.ts';
import { EarlierClaims } from './earlier.ts';
import { claimOfRecord, evidencedClaim, judge, unreadable, type Verdict } from './judge.ts';
import { ModelListings } from './listings.ts';
import { type Found, type LookUpContext, lookUp, unplacedClaims } from './look-ups.ts';
import { FindingCounts, type Implausible, type PlausibilityLimits } from './plausibility.ts';
import { RulingsIndex } from './rulings.ts';
import { SharedKeys } from './shared-keys.ts';
import { type Progress, progressOf, writeVerdicts } from './verdicts.ts';

/** `surveying`: the file is read for what is to be asked; `judging`: verdicts are made. */
export type Report = (step: 'surveying' | 'judging', done: number, of: number) => void;

export interface JobContext {
  /** May read, and nothing else. */
  readonly reader: Clickhouse;
  /** May put in verdicts, and nothing else. */
  readonly writer: Clickhouse;
  /** Of the serials. */
  readonly partitions: number;
  readonly now: () => number;
  readonly report: Report;
  readonly limits: PlausibilityLimits;
  /** Serials that are asked for at once. */
  readonly setSerialsMax: number;
  /** Verdicts that are written at once: what a kill costs, at most. */
  readonly blockRecords: number;
}

export type JobResult =
  | { readonly kind: 'done'; readonly job: string; readonly claims: number; readonly judgedNow: number }
  | { readonly kind: 'question'; readonly job: string; readonly question: readonly Implausible[] };

/**
 * Assesses a file of claims, or goes on with a job that was interrupted. Every verdict follows from the file and from what
 * the job was begun on, so that whoever makes it, and however often, it is the same.
 */
export async function assess(context: JobContext, file: ClaimFile, again: boolean): Promise<JobResult> {
  const { reader, writer, now } = context;
  const latest = await latestBasis(reader, file.sha256);
  const basis =
    latest && !again
      ? latest
      : await beginJob(reader, writer, file, { run: (latest?.run ?? 0) + 1, at: now() });
  const { job } = basis;
  const progress = await progressOf(reader, job);
  if (await isDone(reader, job)) return { kind: 'done', job, claims: progress.judged, judgedNow: 0 };

  const folder = mkdtempSync(path.join(tmpdir(), 'serial-ledger-assess-'));
  try {
    return await judgeFile(
      context,
      { reader, basis, partitions: context.partitions, folder },
      file,
      progress,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function judgeFile(
  context: JobContext,
  lookUps: LookUpContext,
  file: ClaimFile,
  progress: Progress,
): Promise<JobResult> {
  const { writer, now } = context;
  const { basis } = lookUps;
  const { job } = basis;
  const counts = new FindingCounts();
  counts.addCounts(progress.judged, progress.counts);
  const survey = await surveyFile(context, lookUps, file, progress.judged);
  const judging = await Judging.open(context, lookUps, survey, counts);
  judging.earlier.restore(progress.state);
  const question = await judging.run(file, progress.judged);
  if (question.length > 0) return { kind: 'question', job, question };
  const accepted = [...context.limits.accepted];
  await endJob(writer, basis, file, { at: now(), claims: survey.records, accepted });
  return { kind: 'done', job, claims: survey.records, judgedNow: survey.records - progress.judged };
}

interface Survey {
  readonly records: number;
  readonly shared: SharedKeys;
  /** In the order of their records. The first may be answered already. */
  readonly sets: readonly Asked[];
  readonly first: Promise<Found> | undefined;
}

/** Reads the file once: what is to be asked, and which records touch each other. */
async function surveyFile(
  context: JobContext,
  lookUps: LookUpContext,
  file: ClaimFile,
  judged: number,
): Promise<Survey> {
  const { report, setSerialsMax } = context;
  const shared = new SharedKeys();
  const collecting = new AskedSets(setSerialsMax);
  const sets: Asked[] = [];
  let first: Promise<Found> | undefined;
  let records = 0;
  let bytes = 0;
  const full = (set: Asked | undefined) => {
    if (!set) return;
    sets.push(set);
    first ??= lookUp(lookUps, set);
    first.catch(() => undefined);
  };
  for await (const rows of claimRows(file.path, (more) => {
    bytes += more;
  })) {
    for (const row of rows) {
      records = row.record;
      const premises = premisesOfRow(row);
      const serials = serialKeysOf(row);
      for (const key of dependencyKeys(row, premises, serials)) shared.add(key, row.record);
      if (row.record > judged) full(collecting.add(row, premises, serials));
    }
    report('surveying', bytes, file.bytes);
  }
  full(collecting.end());
  return { records, shared, sets, first };
}

class Judging {
  readonly earlier = new EarlierClaims();
  readonly #context: JobContext;
  readonly #lookUps: LookUpContext;
  readonly #basis: Basis;
  readonly #survey: Survey;
  readonly #counts: FindingCounts;
  readonly #listings: ModelListings;
  readonly #rulings: RulingsIndex;
  readonly #unplaced: ReadonlyMap<string, readonly string[]>;
  /** The set that is judged now, and the next one, which the server is answering. */
  #set = 0;
  #found: Promise<Found> | undefined;
  #next: Promise<Found> | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    context: JobContext,
    lookUps: LookUpContext,
    survey: Survey,
    counts: FindingCounts,
    rulings: RulingsIndex,
    unplaced: ReadonlyMap<string, readonly string[]>,
  ) {
    this.#unplaced = unplaced;
    this.#context = context;
    this.#lookUps = lookUps;
    this.#basis = lookUps.basis;
    this.#survey = survey;
    this.#counts = counts;
    this.#listings = new ModelListings(context.reader, lookUps.basis);
    this.#rulings = rulings;
    this.#found = survey.first;
  }

  static async open(
    context: JobContext,
    lookUps: LookUpContext,
    survey: Survey,
    counts: FindingCounts,
  ): Promise<Judging> {
    const rulings = await RulingsIndex.read(context.reader, lookUps.basis);
    const unplaced = await unplacedClaims(context.reader, lookUps.basis);
    return new Judging(context, lookUps, survey, counts, rulings, unplaced);
  }

  /** Judges what was not judged; stops with a question when a finding has an implausible share. */
  async run(file: ClaimFile, judged: number): Promise<readonly Implausible[]> {
    const { report, blockRecords } = this.#context;
    const { records } = this.#survey;
    let block: Verdict[] = [];
    try {
      for await (const rows of claimRows(file.path)) {
        const rest = rows.filter(({ record }) => record > judged);
        for (let from = 0; from < rest.length; ) {
          const to = from + blockRecords - block.length;
          block.push(...(await this.#judgeRows(rest.slice(from, to))));
          from = to;
          if (block.length < blockRecords) continue;
          const question = await this.#finish(block);
          if (question.length > 0) return question;
          report('judging', block.at(-1)!.record, records);
          block = [];
        }
      }
      const question = await this.#finish(block);
      await this.#writing;
      report('judging', records, records);
      return question;
    } finally {
      await this.#close();
    }
  }

  /** One block is written while the next is judged; only what is plausible is written. */
  async #finish(block: readonly Verdict[]): Promise<readonly Implausible[]> {
    for (const verdict of block) this.#counts.add(verdict);
    const question = this.#counts.implausible(this.#context.limits);
    await this.#writing;
    if (question.length > 0) return question;
    if (block.length > 0) {
      this.#writing = writeVerdicts(this.#context.writer, this.#basis.job, block);
      this.#writing.catch(() => undefined);
    }
    return [];
  }

  async #judgeRows(rows: readonly ClaimRow[]): Promise<readonly Verdict[]> {
    const read = rows.map((row) => {
      const record = row.read();
      return { record, claim: record.claim && claimOfRecord(record.claim, record.record, this.#basis) };
    });
    await this.#listings.learn(read.flatMap(({ claim }) => (claim ? modelsOf(claim) : [])));
    const verdicts: Verdict[] = [];
    for (const { record, claim } of read) {
      const found = await this.#foundFor(record.record);
      const entries = (await found.entries.take(record.record)).map(({ entry }) => entry);
      if (!claim) {
        verdicts.push(unreadable(record));
        continue;
      }
      const known = {
        entries,
        listings: this.#listings.of(modelsOf(claim)),
        rulings: this.#rulings.of(claim),
      };
      const registry = await this.#registryOf(record.record, claim, found);
      const evidenced = evidencedClaim(claim, record.record, known, this.#basis);
      const shares = this.#survey.shared.shares(record.record);
      verdicts.push(
        judge(evidenced, record, {
          before: (event) => {
            if (!shares && registry.length === 0) return { state: emptyState };
            const { state, cells } = this.earlier.before(event, registry);
            return shares ? { state, cells } : { state };
          },
          after: (event, changes, cells) => this.earlier.after(event, changes, cells),
        }),
      );
    }
    return verdicts;
  }

  /** Every event of the registry's claims that this one can depend on. */
  async #registryOf(record: number, claim: ClaimEvent, { related }: Found): Promise<readonly DecidedClaim[]> {
    const unplaced = this.#unplaced.size === 0 ? [] : (this.#unplaced.get(premisesOf(claim)) ?? []);
    const claims = new Set([...(related.get(record) ?? []), ...unplaced]);
    if (claims.size === 0) return [];
    const events = await decidedClaims(this.#context.reader, [...claims]);
    return events.filter(({ evidenced_offset }) => evidenced_offset <= this.#basis.claimsUpTo);
  }

  /** What the ledger has of the set that a record is in. */
  async #foundFor(record: number): Promise<Found> {
    const { sets } = this.#survey;
    if (record > sets[this.#set]!.last) {
      await (await this.#found)?.entries.close();
      this.#set += 1;
      this.#found = this.#next ?? this.#ask(this.#set);
      this.#next = undefined;
    }
    const found = await this.#found!;
    // Not before: two sets that are looked for at once are both found late, and the first is waited for.
    if (!this.#next && this.#set + 1 < sets.length) this.#next = this.#ask(this.#set + 1);
    return found;
  }

  #ask(set: number): Promise<Found> {
    const asked = lookUp(this.#lookUps, this.#survey.sets[set]!);
    asked.catch(() => undefined);
    return asked;
  }

  async #close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    for (const found of [this.#found, this.#next])
      await found?.then(({ entries }) => entries.close()).catch(() => undefined);
  }
}
