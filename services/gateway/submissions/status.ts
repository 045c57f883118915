import { timeOfId } from '#gateway/ids.ts';
import type { Stamps } from '#gateway/lookup/ticks.ts';
import type { Watermarks } from '#gateway/lookup/watermarks.ts';

/** A manifest as the ledger has it. */
export interface LedgerManifest {
  readonly submission: string;
  readonly account: string;
  readonly product: string;
  readonly action: string;
  readonly file_name: string;
  readonly rows: number;
  readonly received_at: number;
  readonly last_offsets: readonly { readonly partition: number; readonly last_offset: number }[];
}

export interface DeadRows {
  readonly dead: number;
  readonly discarded: number;
}

export interface SubmissionReads {
  manifest(id: string): Promise<LedgerManifest | undefined>;
  /** Rows by outcome. */
  outcomes(id: string): Promise<Readonly<Record<string, number>>>;
  /** Rows in dead letters that are not settled, and rows that somebody discarded. */
  deadRows(id: string): Promise<DeadRows>;
}

/** What this instance knows of a submission from the log, whoever has written it. */
export interface Remembered {
  readonly account: string;
  readonly product: string;
  readonly action: string;
  readonly file_name: string;
  readonly rows: number;
  readonly received_at: number;
  /** Milliseconds from receipt to commit; null when another instance has written it. */
  readonly acceptedMs: number | null;
  finalSeenMs?: number;
}

export interface StatusPorts {
  readonly reads: SubmissionReads;
  readonly watermarks: Pick<Watermarks, 'reached'>;
  readonly remembered: (id: string) => Remembered | undefined;
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

export interface SubmissionStatus {
  readonly id: string;
  readonly account: string;
  /** `final` by rule K5: the watermark of each partition is at or past the submission's last batch there. */
  readonly state: 'accepted' | 'processing' | 'final';
  readonly product: string;
  readonly action: string;
  readonly file_name: string;
  readonly received: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Rows without an outcome yet. */
  readonly pending: number;
  readonly dead_letters: number;
  /** Rows that could not be processed and were given up, on record. */
  readonly discarded: number;
  /** Once final: rows that have neither an outcome nor a dead letter. Anything but 0 is an alarm. */
  readonly imbalance: number | null;
  readonly received_at: number;
  readonly accepted_ms: number | null;
  readonly final_seen_ms: number | null;
}

export const noDeadRows: DeadRows = { dead: 0, discarded: 0 };

/** How long a manifest may be on its way before nobody waits for it any more. */
const youngMs = 60_000;
const manifestWaitMs = 1_000;
const manifestPauseMs = 50;

/**
 * A submission as the ledger sees it now, or, with `waitMs`, once it is final. Undefined when it is not known. Watermarks
 * are read before outcomes: what the watermark covers is then among them.
 */
export async function submissionStatus(
  ports: StatusPorts,
  id: string,
  waitMs: number,
): Promise<SubmissionStatus | undefined> {
  const deadline = ports.now() + waitMs;
  const manifest = await awaitManifest(ports, id, deadline);
  const remembered = ports.remembered(id);
  if (!manifest) return remembered && statusOf(id, remembered, remembered, 'accepted', {}, noDeadRows);

  const stamps: Stamps = new Map(
    manifest.last_offsets.map(({ partition, last_offset }) => [partition, last_offset]),
  );
  const reached = await ports.watermarks.reached(stamps, Math.max(deadline - ports.now(), 0));
  const [outcomes, dead] = await Promise.all([ports.reads.outcomes(id), ports.reads.deadRows(id)]);
  const isFinal = reached.size === stamps.size;
  if (isFinal && remembered) remembered.finalSeenMs ??= ports.now() - remembered.received_at;
  const begun = Object.keys(outcomes).length > 0 || dead.dead > 0;
  const state = isFinal ? 'final' : begun ? 'processing' : 'accepted';
  return statusOf(id, manifest, remembered, state, outcomes, dead);
}

/** A submission that was accepted at another instance a moment ago is waited for, so that it is not denied. */
async function awaitManifest(
  ports: StatusPorts,
  id: string,
  deadline: number,
): Promise<LedgerManifest | undefined> {
  const begun = ports.now();
  const young = begun - (timeOfId(id) ?? begun) < youngMs;
  for (;;) {
    const manifest = await ports.reads.manifest(id);
    const known = ports.remembered(id) !== undefined;
    const until = known ? deadline : young ? Math.max(deadline, begun + manifestWaitMs) : begun;
    if (manifest || ports.now() >= until) return manifest;
    await ports.pause(manifestPauseMs);
  }
}

function statusOf(
  id: string,
  of: Omit<Remembered, 'acceptedMs' | 'finalSeenMs'>,
  remembered: Remembered | undefined,
  state: SubmissionStatus['state'],
  outcomes: Readonly<Record<string, number>>,
  dead: DeadRows,
): SubmissionStatus {
  return {
    id,
    account: of.account,
    state,
    product: of.product,
    action: of.action,
    file_name: of.file_name,
    received: of.rows,
    outcomes,
    ...rowCounts(of.rows, outcomes, dead, state === 'final'),
    received_at: of.received_at,
    accepted_ms: remembered?.acceptedMs ?? null,
    final_seen_ms: remembered?.finalSeenMs ?? null,
  };
}

/** K5: what is not decided is pending, or set aside, or given up; once final nothing else may be left. */
export function rowCounts(
  received: number,
  outcomes: Readonly<Record<string, number>>,
  { dead, discarded }: DeadRows,
  isFinal: boolean,
): Pick<SubmissionStatus, 'pending' | 'dead_letters' | 'discarded' | 'imbalance'> {
  const decided = Object.values(outcomes).reduce((sum, rows) => sum + rows, 0);
  const rest = received - decided - dead - discarded;
  return {
    pending: isFinal ? 0 : Math.max(rest, 0),
    dead_letters: dead,
    discarded,
    imbalance: isFinal ? rest : null,
  };
}
