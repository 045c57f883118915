import type { Codec, Decoder } from '#shared/codec/codec.ts';
import { readOriginHeaders } from '#shared/codec/headers.ts';
import type { ListedTail } from '#shared/domain/batches.ts';
import { carriedOn } from '#shared/domain/records.ts';
import type { SerialBatch } from '#shared/domain/serials.ts';
import { topics } from './codecs.ts';
import type { DecidedBatch, InsertedBatch, Ledger, Sent } from './ledger.ts';
import type { Submission } from './load.ts';
import type { Entry, Logs, PartitionLog } from './log.ts';
import { isListed } from './redis.ts';
import { type Expected, SequentialLedger } from './reference.ts';

type ListedBatch = Sent<SerialBatch> & ListedTail;

/** One copy of a submission as it was accepted. */
export interface Manifest {
  readonly submission: Submission;
  readonly receivedAt: number;
  readonly lastOffsets: ReadonlyMap<number, number>;
}

interface Row {
  readonly content: string;
  readonly identity: string;
  readonly outcome: string;
  readonly entry: number;
}

class Wrong extends Error {}

/**
 * Looks at every effect when it happens, and at the whole when all is at rest. What must be true is told from
 * `serials.submitted` and the sequential reference, never from what a stage believes.
 */
export class Audit {
  /** The first thing that was wrong. */
  violation: string | undefined;
  readonly manifests: Manifest[] = [];
  readonly #logs: Logs;
  readonly #reference = new SequentialLedger();
  readonly #expected = new Map<string, Expected & { readonly origin: number }>();
  readonly #rows = new Map<string, Row>();
  readonly #entries = new Map<string, string>();
  /** By partition: the highest origin that stands in `serials.listed`. */
  readonly #listedTo = new Map<number, number>();
  /** By partition: the lowest origin that the watermark has not passed yet. */
  readonly #watermarkTo = new Map<number, number>();
  readonly #listedDecoder: Decoder<ListedBatch>;
  readonly #decidedDecoder: Decoder<Sent<DecidedBatch>>;

  constructor(logs: Logs, codec: Codec) {
    this.#logs = logs;
    this.#listedDecoder = codec.decoder<ListedBatch>('ListedBatch');
    this.#decidedDecoder = codec.decoder<Sent<DecidedBatch>>('DecidedBatch');
  }

  /** Rows in the ledger. */
  get rows(): number {
    return this.#rows.size;
  }

  wrong(what: string): void {
    this.violation ??= what;
  }

  /** A message is in a log. */
  appended(log: PartitionLog, entry: Entry): void {
    this.#watch(() => {
      if (log.topic === topics.listed) this.#listed(log.partition, entry);
      if (log.topic === topics.decided && !entry.broken) this.#decided(entry);
    });
  }

  /** The rows of a message are in the table. */
  written(batch: InsertedBatch): void {
    this.#watch(() => {
      this.#compare(batch, 'written');
      batch.records.forEach((_, i) => {
        this.#write(batch, i);
      });
    });
  }

  /** L3: whatever lies at or below the watermark has its rows in the ledger. */
  watermark(partition: number, origin: number): void {
    this.#watch(() => {
      const from = this.#watermarkTo.get(partition) ?? 0;
      const submitted = this.#logs.of(topics.submitted, partition);
      insist(
        origin < submitted.stable,
        `L3: watermark ${origin} of partition ${partition} lies beyond the log`,
      );
      for (const { offset, batch } of submitted.committed(from, origin + 1))
        for (const { row } of batch?.records ?? []) {
          const key = rowKey(batch!.submission, row);
          insist(
            this.#rows.has(key),
            `L3: watermark ${origin} of partition ${partition} has passed origin ${offset}, whose row ${key} is not in the ledger`,
          );
        }
      this.#watermarkTo.set(partition, Math.max(from, origin + 1));
    });
  }

  /** K5: `received = sum of outcomes + rows in unsettled dead letters`, once a submission is final. */
  conservation(ledger: Ledger): void {
    this.#watch(() => {
      for (const { submission, lastOffsets } of this.#firstManifests()) {
        if ([...lastOffsets].some(([partition, last]) => ledger.watermark(partition) < last)) continue;
        const { id, rows } = submission;
        const decided = ledger.decidedRows(id);
        const dead = ledger.deadRows(id);
        insist(
          decided + dead === rows,
          `submission ${id} is final with ${rows} rows received, ${decided} decided, ${dead} in dead letters`,
        );
      }
    });
  }

  /** Nothing is under way any more. */
  atRest(ledger: Ledger): void {
    this.conservation(ledger);
    this.#watch(() => {
      for (const { submission } of this.manifests)
        for (const { batch } of submission.batches)
          for (const { row } of batch.records) {
            const key = rowKey(submission.id, row);
            insist(this.#rows.has(key), `row ${key} was accepted and is not in the ledger`);
          }
      for (const [identity, life] of this.#lives()) checkLife(identity, life);
    });
  }

  #watch(check: () => void): void {
    try {
      check();
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      this.wrong(error.message);
    }
  }

  /** The first copy of each origin is the one that dedup must decide; the reference enters it in the same order. */
  #listed(partition: number, entry: Entry): void {
    const { origin, rows } = readOriginHeaders(entry.headers, entry.offset);
    const before = this.#listedTo.get(partition) ?? -1;
    if (origin <= before) return;
    this.#listedTo.set(partition, origin);
    const submitted = this.#logs.of(topics.submitted, partition);
    for (const { offset } of submitted.committed(before + 1, origin))
      throw new Wrong(`V1: origin ${offset} of partition ${partition} was skipped before ${origin}`);
    const sent = submitted.entries[origin];
    insist(sent && !sent.marker, `origin ${origin} is no message of partition ${partition}`);
    if (!sent.batch || sent.broken || entry.broken) return;
    const { length } = sent.batch.records;
    insist(rows === length, `origin ${origin} has ${length} rows, its headers say ${rows}`);
    this.#enter(sent.batch, origin, entry);
  }

  #enter(batch: SerialBatch, origin: number, entry: Entry): void {
    const listed = this.#listedDecoder.decode(entry.value);
    insist(listed, `the message of origin ${origin} cannot be decoded`);
    const { records, listings, snapshot } = listed;
    const said = new Map(carriedOn(records, listings).map(({ finding }, i) => [records[i]!.row, finding]));
    const findings = batch.records.map(({ row }) => said.get(row) ?? 'nothing');
    batch.records.forEach(({ row, model, finding }, i) => {
      const asked = batch.action === 'register' && finding === '';
      const right = isListed(model, Number(snapshot)) ? 'listed' : 'not_listed';
      const said = findings[i];
      insist(
        said === (asked ? right : 'not_checked'),
        `${rowKey(batch.submission, row)} has the finding ${said}`,
      );
    });
    this.#reference.enter(batch, findings)?.forEach((expected, i) => {
      this.#expected.set(rowKey(batch.submission, batch.records[i]!.row), { ...expected, origin });
    });
  }

  #decided(entry: Entry): void {
    const batch = this.#decidedDecoder.decode(entry.value);
    insist(batch, `offset ${entry.offset} of ${topics.decided} cannot be decoded`);
    this.#compare(batch, 'published');
  }

  #compare(
    batch: Pick<DecidedBatch, 'submission' | 'records' | 'decisions' | 'origin'>,
    doing: string,
  ): void {
    batch.records.forEach(({ row }, i) => {
      const key = rowKey(batch.submission, row);
      const expected = this.#expected.get(key);
      const is = describe({ ...batch.decisions[i]!, origin: batch.origin });
      const shall = expected ? describe(expected) : 'nothing yet';
      insist(is === shall, `row ${key} was ${doing} as ${is}, the reference says ${shall}`);
    });
  }

  #write(batch: InsertedBatch, i: number): void {
    const { partition: _, offset: __, records, listings, decisions, ...header } = batch;
    const record = records[i]!;
    const { outcome, entry } = decisions[i]!;
    const key = rowKey(header.submission, record.row);
    const content = JSON.stringify([header, record, listings[i], decisions[i]]);
    const known = this.#rows.get(key);
    insist(
      known === undefined || known.content === content,
      `row ${key} was written as ${known?.content} and as ${content}`,
    );
    const identity = JSON.stringify([header.product, record.holder_key, record.serial_key]);
    this.#rows.set(key, { content, identity, outcome, entry });
    if (entry === 0) return;
    const owner = this.#entries.get(`${identity} ${entry}`) ?? key;
    insist(owner === key, `the rows ${owner} and ${key} are both entry ${entry} of ${identity}`);
    this.#entries.set(`${identity} ${entry}`, key);
  }

  /** As the status of a submission finds them: the copy that was received first. */
  #firstManifests(): Iterable<Manifest> {
    const first = new Map<string, Manifest>();
    for (const manifest of this.manifests) {
      const known = first.get(manifest.submission.id);
      if (!known || manifest.receivedAt < known.receivedAt) first.set(manifest.submission.id, manifest);
    }
    return first.values();
  }

  #lives(): ReadonlyMap<string, readonly Row[]> {
    const lives = new Map<string, Row[]>();
    for (const row of this.#rows.values()) {
      if (row.entry === 0) continue;
      const life = lives.get(row.identity);
      if (life) life.push(row);
      else lives.set(row.identity, [row]);
    }
    return lives;
  }
}

/** Entries of a serial count 1, 2, 3, ..., and it is registered and invalidated in turn, its status set while it is registered. */
function checkLife(identity: string, life: readonly Row[]): void {
  const ordered = life.toSorted((a, b) => a.entry - b.entry);
  let registered = false;
  ordered.forEach(({ entry, outcome }, i) => {
    const right = registered ? outcome !== 'registered' : outcome === 'registered';
    insist(entry === i + 1 && right, `entry ${entry} of ${identity}, in place ${i + 1}, is ${outcome}`);
    registered = outcome !== 'invalidated';
  });
}

function describe(row: Expected & { readonly origin: number }): string {
  return `${row.outcome} as entry ${row.entry} (${row.note}) of origin ${row.origin}`;
}

function rowKey(submission: string, row: number): string {
  return `${submission}/${row}`;
}

function insist(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Wrong(what);
}
