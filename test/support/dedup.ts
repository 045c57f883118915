import type { BatchView, IndexLayout } from '#dedup/decider.ts';
import { DedupPartition, type DedupPorts, type Incoming, type Result } from '#dedup/partition.ts';
import { readOriginHeaders, writeHeaders } from '#shared/codec/headers.ts';
import type { Decision } from '#shared/domain/serials.ts';
import { MemoryStateStore } from '#shared/runtime/memory-state-store.ts';
import type { InMessage } from '#shared/runtime/stage.ts';
import type { Scope, StateStore } from '#shared/runtime/state-store.ts';

/** A partition of `serials.listed` in memory, with JSON for Avro, and what dedup makes of it: no engine. */
export const layout: IndexLayout = { hashKey: 'secret', buckets: 3 };
export const scope: Scope = { name: '0', generation: '1' };
export const day = 86_400_000;
export const monday = 1_776_000_000_000;

type Row = BatchView['records'][number] & { readonly listing: string };

export function row(serial: string, more: Partial<Row> = {}): Row {
  return {
    row: 1,
    supplier_key: 'SUP',
    holder_key: 'HOLD',
    serial_key: serial,
    status: '',
    finding: '',
    repeats: false,
    listing: 'listed',
    ...more,
  };
}

export function batchOf(rows: readonly Row[], more: Partial<BatchView> = {}): BatchView {
  return {
    product: 'panel',
    action: 'register',
    received_at: monday,
    records: rows.map(({ listing: _, ...record }) => record),
    listings: rows.map(({ listing }) => ({ finding: listing })),
    ...more,
  };
}

/** A submission's id by a short number. */
export function submissionId(number: number): string {
  return `019d0000-0000-7000-8000-${String(number).padStart(12, '0')}`;
}

export interface Place {
  readonly origin: number;
  readonly link?: number;
  readonly submission?: number;
  readonly batch?: number;
}

/** A message of `serials.listed` at an offset; `batch` null: bytes that cannot be decoded. */
export function listed(offset: number, batch: BatchView | null, place: Place, rows?: number): InMessage {
  const { origin, link, submission } = place;
  return {
    offset,
    key: null,
    value: Buffer.from(batch ? JSON.stringify(batch) : 'damaged'),
    headers: writeHeaders({
      submission: submission === undefined ? '' : submissionId(submission),
      batch: place.batch ?? 0,
      rows: rows ?? batch?.records.length ?? 0,
      deadRows: 0,
      receivedAt: batch?.received_at ?? 0,
      origin,
      ...(link === undefined ? {} : { link }),
    }),
    timestamp: 0,
  };
}

export function incoming(message: InMessage): Incoming {
  return {
    offset: message.offset,
    headers: readOriginHeaders(message.headers, message.offset),
    value: message.value,
    raw: message,
    batch: decode(message),
  };
}

function decode(message: InMessage): BatchView | undefined {
  const text = String(message.value);
  return text === 'damaged' ? undefined : (JSON.parse(text) as BatchView);
}

/** What one result says: the outcomes of its records, or the kind of stand-in. */
export function said(result: Result): readonly string[] | 'copy' | 'dead' {
  if (result.kind !== 'decided') return result.kind;
  return (JSON.parse(String(result.tail)) as Decision[]).map(({ outcome }) => outcome);
}

/** Workers on one store: what they publish, commit and set aside. */
export class Bench {
  readonly store = new MemoryStateStore();
  readonly published: { origin: number; said: ReturnType<typeof said> }[] = [];
  readonly committed: number[] = [];
  readonly dead: number[] = [];
  readonly counts = new Map<string, number>();

  /** Beside the last position stored: dead letters in a row. */
  inRow = 0;

  async start(more: Partial<DedupPorts> = {}, over: StateStore = this.store) {
    const ports: DedupPorts = {
      store: over,
      deadLettersInRowMax: 3,
      deadBefore: new Set(),
      decode,
      encodeDecisions: (_message, decisions) => Buffer.from(JSON.stringify(decisions)),
      publish: async (results) => {
        for (const result of results)
          this.published.push({ origin: result.message.headers.origin, said: said(result) });
      },
      deadLetter: async ({ offset }) => {
        this.dead.push(offset);
      },
      counted: (outcome, rows) => {
        this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + rows);
      },
      ...more,
    };
    const control = {
      deadInRow: this.inRow,
      commit: (offset: number, inRow = 0) => {
        this.committed.push(offset);
        this.inRow = inRow;
      },
      fail: () => {},
    };
    const { worker, offset } = await DedupPartition.start(scope, layout, ports, control);
    return { worker, offset, handle: (...messages: InMessage[]) => worker.handle(messages, { backlog: 0 }) };
  }
}
