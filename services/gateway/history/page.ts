import { isRegulator } from '#gateway/accounts/account.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import { outcomesSeenBy } from '#gateway/submissions/seen.ts';
import { type DeadRows, noDeadRows, rowCounts, type SubmissionStatus } from '#gateway/submissions/status.ts';

export type SubmissionState = SubmissionStatus['state'];

/** What is asked for (HIST-1); what is left out does not narrow. */
export interface HistoryQuery {
  readonly account?: string;
  readonly product?: string;
  readonly action?: string;
  /** Receipt, epoch milliseconds: at or after, and before. */
  readonly receivedFrom?: number;
  readonly receivedBefore?: number;
  readonly state?: SubmissionState;
}

/** A place in the order of the history: newest first. */
export interface HistoryPlace {
  readonly received_at: number;
  readonly submission: string;
}

/** A manifest as the ledger has it: the first copy, where there are several (K4). */
export interface HistoryRow extends HistoryPlace {
  readonly account: string;
  readonly channel: string;
  readonly product: string;
  readonly action: string;
  readonly file_name: string;
  readonly declaration: string;
  readonly declared_by: string;
  readonly rows: number;
  readonly body_bytes: number;
  readonly body_sha256: string;
  readonly stream: string;
  readonly last_offsets: readonly { readonly partition: number; readonly last_offset: number }[];
}

/** Highest origin of each partition that is in the ledger. */
export type UpTo = ReadonlyMap<number, number>;

export interface HistoryPorts {
  upTo(): Promise<UpTo>;
  /** The next places, newest first, copies of manifests included. */
  places(
    query: HistoryQuery,
    upTo: UpTo,
    after: HistoryPlace | undefined,
    limit: number,
  ): Promise<readonly HistoryPlace[]>;
  rows(submissions: readonly string[]): Promise<readonly HistoryRow[]>;
  /** Rows by outcome, by submission. */
  outcomes(submissions: readonly string[]): Promise<ReadonlyMap<string, Readonly<Record<string, number>>>>;
  deadRows(submissions: readonly string[]): Promise<ReadonlyMap<string, DeadRows>>;
}

export interface HistoryEntry {
  readonly row: HistoryRow;
  readonly state: SubmissionState;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly pending: number;
  readonly dead_letters: number;
  readonly discarded: number;
  readonly imbalance: number | null;
}

export interface HistoryPage {
  readonly entries: readonly HistoryEntry[];
  /** Where the next page begins; absent at the end. */
  readonly next?: HistoryPlace;
}

const placesMax = 1_000;

/**
 * A page of the upload history, newest first. Watermarks are read before outcomes: what they cover is then among these. A
 * place is that of the first copy, so that pages stay as they are when a submission is written again.
 */
export async function historyPage(
  ports: HistoryPorts,
  query: HistoryQuery,
  page: { readonly after?: HistoryPlace; readonly limit: number },
): Promise<HistoryPage> {
  const upTo = await ports.upTo();
  const entries: HistoryEntry[] = [];
  let { after } = page;
  for (let looked = page.limit + 1; ; looked = Math.min(looked * 4, placesMax)) {
    const places = await ports.places(query, upTo, after, looked);
    for (const entry of await entriesAt(ports, places, upTo)) {
      if (query.state !== undefined && entry.state !== query.state) continue;
      if (entries.length === page.limit) return { entries, next: placeOf(entries.at(-1)!.row) };
      entries.push(entry);
    }
    if (places.length < looked) return { entries };
    after = places.at(-1);
  }
}

async function entriesAt(
  ports: HistoryPorts,
  places: readonly HistoryPlace[],
  upTo: UpTo,
): Promise<readonly HistoryEntry[]> {
  const ids = [...new Set(places.map(({ submission }) => submission))];
  if (ids.length === 0) return [];
  const [rows, outcomes, dead] = await Promise.all([
    ports.rows(ids),
    ports.outcomes(ids),
    ports.deadRows(ids),
  ]);
  const byId = new Map(rows.map((row) => [row.submission, row]));
  return places.flatMap(({ submission, received_at }) => {
    const row = byId.get(submission);
    if (row?.received_at !== received_at) return [];
    return [entryOf(row, outcomes.get(submission) ?? {}, dead.get(submission) ?? noDeadRows, upTo)];
  });
}

function entryOf(
  row: HistoryRow,
  outcomes: Readonly<Record<string, number>>,
  dead: DeadRows,
  upTo: UpTo,
): HistoryEntry {
  const isFinal = row.last_offsets.every(
    ({ partition, last_offset }) => (upTo.get(partition) ?? -1) >= last_offset,
  );
  const begun = Object.keys(outcomes).length > 0 || dead.dead > 0;
  const state = isFinal ? 'final' : begun ? 'processing' : 'accepted';
  return { row, state, outcomes, ...rowCounts(row.rows, outcomes, dead, isFinal) };
}

function placeOf({ received_at, submission }: HistoryRow): HistoryPlace {
  return { received_at, submission };
}

/** SEC-1: an account is shown its own submissions, whoever of it has sent them; the regulator all, or those of one. */
export function historyScope(query: HistoryQuery, { account }: Identity): HistoryQuery {
  return isRegulator(account) ? query : { ...query, account: account.id };
}

/** An entry as an account may see it. */
export function entryView(entry: HistoryEntry, { account }: Identity): object {
  const { row, outcomes, ...counts } = entry;
  const { submission: id, last_offsets: _, account: owner, body_bytes, body_sha256, stream, ...facts } = row;
  return {
    id,
    ...facts,
    ...counts,
    outcomes: outcomesSeenBy(account, outcomes),
    bytes: body_bytes,
    sha256: body_sha256,
    ...(stream === '' ? {} : { stream }),
    ...(isRegulator(account) ? { account: owner } : {}),
    url: `/v1/submissions/${id}`,
    report: `/v1/submissions/${id}/report`,
    file: `/v1/submissions/${id}/file`,
  };
}

export function cursorOf({ received_at, submission }: HistoryPlace): string {
  return `${received_at}.${submission}`;
}

/** Undefined when it is no cursor of ours. */
export function readCursor(cursor: string): HistoryPlace | undefined {
  const [, at, submission] = /^(\d{1,15})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(cursor) ?? [];
  return submission === undefined ? undefined : { received_at: Number(at), submission };
}
