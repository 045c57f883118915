import type { KnownPart, StreamState } from '#gateway/submissions/recent.ts';

/** What the ledger has of streams. */
export interface StreamReads {
  state(stream: string): Promise<StreamState | undefined>;
  /** In the order of their rows. */
  parts(stream: string, fromRow: number, limit: number): Promise<readonly KnownPart[]>;
}

/** What the log holds that the ledger may not have yet. */
export interface RecentStreams {
  stream(id: string): StreamState | undefined;
  part(stream: string, firstRow: number): KnownPart | undefined;
}

/** The ledger and the log together. */
export async function streamState(
  reads: Pick<StreamReads, 'state'>,
  recent: Pick<RecentStreams, 'stream'>,
  id: string,
): Promise<StreamState | undefined> {
  const ledger = await reads.state(id);
  return merged(ledger, recent.stream(id));
}

export function merged(
  ledger: StreamState | undefined,
  recent: StreamState | undefined,
): StreamState | undefined {
  if (!ledger || !recent) return ledger ?? recent;
  return {
    ...ledger,
    committedRow: Math.max(ledger.committedRow, recent.committedRow),
    firstAt: Math.min(ledger.firstAt, recent.firstAt),
    lastAt: Math.max(ledger.lastAt, recent.lastAt),
  };
}

const pageParts = 500;

/**
 * The parts of a stream that are committed, asked for in ascending order of their rows, without keeping all of them. A part
 * that neither the log nor the ledger tells of may be committed all the same: it is then written again, and its first copy
 * counts (K4).
 */
export class KnownParts {
  readonly #stream: string;
  readonly #reads: Pick<StreamReads, 'parts'>;
  readonly #recent: Pick<RecentStreams, 'part'>;
  #page: readonly KnownPart[] = [];
  /** First row that the pages read so far say nothing of. */
  #readTo = 0;

  constructor(stream: string, reads: Pick<StreamReads, 'parts'>, recent: Pick<RecentStreams, 'part'>) {
    this.#stream = stream;
    this.#reads = reads;
    this.#recent = recent;
  }

  /** One, or none; several where two bodies came under one key at once (A2). */
  async startingAt(firstRow: number): Promise<readonly KnownPart[]> {
    const recent = this.#recent.part(this.#stream, firstRow);
    if (recent) return [recent];
    if (firstRow >= this.#readTo) {
      this.#page = await this.#reads.parts(this.#stream, firstRow, pageParts);
      this.#readTo = this.#page.length < pageParts ? Number.POSITIVE_INFINITY : this.#page.at(-1)!.firstRow;
    }
    return this.#page.filter((part) => part.firstRow === firstRow);
  }
}
