import { assert } from '#shared/base/errors.ts';

/**
 * K8: what every message of the serial topics says of itself without being decoded. Authoritative: dead letters and
 * the watermark are kept from these alone. `origin` and `link` are absent in `serials.submitted`, where the offset is the origin.
 */
export interface MessageHeaders {
  /** Empty for a tick. */
  readonly submission: string;
  readonly batch: number;
  readonly rows: number;
  readonly deadRows: number;
  /** The gateway's receipt, epoch milliseconds; 0 for a tick. For metrics only. */
  readonly receivedAt: number;
  /** The stage that put a stand-in in a dead letter's place; absent otherwise. */
  readonly deadStage?: string;
  /** Offset in `serials.submitted`. */
  readonly origin?: number;
  /** Origin of the message before it in this partition; absent for the first after a start (V1). */
  readonly link?: number;
}

/** Headers of messages behind cec-validation, which always carry their origin. */
export type OriginHeaders = MessageHeaders & { readonly origin: number };

export function writeHeaders(headers: MessageHeaders): Record<string, string> {
  return {
    submission: headers.submission,
    batch: String(headers.batch),
    rows: String(headers.rows),
    dead_rows: String(headers.deadRows),
    received_at: String(headers.receivedAt),
    ...(headers.deadStage === undefined ? {} : { dead_stage: headers.deadStage }),
    ...(headers.origin === undefined ? {} : { origin: String(headers.origin) }),
    ...(headers.link === undefined ? {} : { link: String(headers.link) }),
  };
}

/** Undefined when the headers are not ours: the message is a dead letter. */
export function readHeaders(headers: Readonly<Record<string, string>>): MessageHeaders | undefined {
  const batch = count(headers.batch);
  const rows = count(headers.rows);
  const deadRows = count(headers.dead_rows);
  const origin = count(headers.origin);
  const link = count(headers.link);
  if (headers.submission === undefined || batch === undefined || rows === undefined || deadRows === undefined)
    return undefined;
  return {
    submission: headers.submission,
    batch,
    rows,
    deadRows,
    receivedAt: count(headers.received_at) ?? 0,
    ...(headers.dead_stage === undefined ? {} : { deadStage: headers.dead_stage }),
    ...(origin === undefined ? {} : { origin }),
    ...(link === undefined ? {} : { link }),
  };
}

/** Between our own stages a message without origin is our bug. */
export function readOriginHeaders(headers: Readonly<Record<string, string>>, offset: number): OriginHeaders {
  const read = readHeaders(headers);
  assert(read?.origin !== undefined, `message at offset ${offset} carries no origin`);
  return read as OriginHeaders;
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
