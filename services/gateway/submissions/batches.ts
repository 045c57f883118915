import { catalogueIdCharsMax } from '#gateway/changes/catalogue.ts';
import { partitionOf } from '#shared/domain/partition.ts';
import type { Product, SerialRecord } from '#shared/domain/serials.ts';
import { type DocumentKind, headingOf } from './documents.ts';
import type { Row } from './rows.ts';

/** Limits of a batch (architecture, section 2). */
export const batchRowsMax = 500;
export const batchBytesMax = 256 * 1024;

/**
 * Upper bounds of what is encoded besides the texts: numbers, lengths and the finding of a record; header and wire
 * format of a batch. A supplier that the file does not name is among it (names have at most 200 characters). Constant on
 * purpose: whether a supplier is authorised can change between a submission and its
 * repetition, and must not move the boundaries of a batch (K4).
 */
const recordBytes = 160;
const ownSupplierBytes = 2 * 3 * 200;
/** Of status and reason, which stand in the record by the ids of the catalogue. */
const changeBytes = 2 * catalogueIdCharsMax;
const headerBytes = 4 * 1024;

export interface Batch {
  /** Within the submission, from 0. */
  readonly number: number;
  readonly partition: number;
  readonly records: readonly SerialRecord[];
}

/**
 * Gathers rows by partition, then cuts them: within a partition in file order, partitions in ascending order, batches
 * numbered across the submission. Boundaries and numbers depend on the rows alone (K4); a change of anything here
 * raises `batchingVersion`.
 */
export class Batcher {
  readonly #product: Product;
  readonly #recordBytes: number;
  readonly #partitions: readonly { readonly batches: SerialRecord[][]; bytes: number }[];

  constructor(document: DocumentKind, partitions: number) {
    this.#product = document.product;
    this.#recordBytes =
      recordBytes +
      (headingOf(document, 'supplier') === '' ? ownSupplierBytes : 0) +
      (document.action === 'register' ? 0 : changeBytes);
    this.#partitions = Array.from({ length: partitions }, () => ({ batches: [], bytes: 0 }));
  }

  add({ record, bytes }: Row): void {
    const share = this.#partitions[partitionOf(this.#product, record.serial_key, this.#partitions.length)]!;
    const size = bytes + this.#recordBytes;
    const open = share.batches.at(-1);
    if (open && open.length < batchRowsMax && share.bytes + size <= batchBytesMax) {
      open.push(record);
      share.bytes += size;
    } else {
      share.batches.push([record]);
      share.bytes = headerBytes + size;
    }
  }

  batches(): readonly Batch[] {
    return this.#partitions
      .flatMap((share, partition) => share.batches.map((records) => ({ partition, records })))
      .map((batch, number) => ({ number, ...batch }));
  }
}
