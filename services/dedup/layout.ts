import { hash } from 'node:crypto';
import type { Bytes } from '#shared/runtime/state-store.ts';

/** How one generation of the index lays out its serials; fixed when the generation begins. */
export interface IndexLayout {
  /** Secret of the serial hash: nobody outside can aim at a bucket or a collision. */
  readonly hashKey: string;
  readonly buckets: number;
}

/** Where a serial is kept: a field of a bucket. */
export interface SerialPlace {
  readonly bucket: number;
  readonly field: Bytes;
}

/** Keys of a partition's index, beside its buckets. */
export const indexKeys = {
  seen: 'seen',
  receipts: 'receipts',
  holders: 'holders',
  suppliers: 'suppliers',
  statuses: 'statuses',
} as const;

/** Under this field of the receipts stands the latest one among the batches decided: where the window ends (D3). */
export const newestField = 'newest';

export function bucketKey(bucket: number): string {
  return `s${bucket}`;
}

/** The first 8 bytes of a keyed hash of product and serial; the first 4 of them say in which bucket. */
export function serialPlace(layout: IndexLayout, product: string, serialKey: string): SerialPlace {
  const field = hash('sha256', `${layout.hashKey}${product}\n${serialKey}`, 'binary').slice(0, 8);
  return { bucket: bucketOf(field, layout.buckets), field };
}

function bucketOf(field: Bytes, buckets: number): number {
  const number =
    (field.charCodeAt(0) << 24) |
    (field.charCodeAt(1) << 16) |
    (field.charCodeAt(2) << 8) |
    field.charCodeAt(3);
  return (number >>> 0) % buckets;
}
