import { normalise } from '#shared/domain/normalise.ts';
import type { Product } from '#shared/domain/serials.ts';

/** What is searched for; everything given must hold of the latest entry of a serial. Texts compare as in SER-2. */
export interface SearchQuery {
  readonly product: Product;
  readonly supplier?: string;
  readonly holder?: string;
  readonly model?: string;
  readonly serial?: string;
  /** Serials that begin with this text. */
  readonly serialPrefix?: string;
  readonly state?: 'registered' | 'invalid';
  readonly status?: string;
  readonly submission?: string;
  /** Receipt of the latest entry, epoch milliseconds: at or after, and before. */
  readonly receivedFrom?: number;
  readonly receivedBefore?: number;
}

/** Whose entries may be seen (SEC-1): the regulator's are all. */
export type SearchScope =
  | { readonly kind: 'all' }
  | {
      readonly kind: 'own';
      readonly account: string;
      /** Suppliers whose every entry the account may see. */
      readonly served: readonly string[];
      /** These, and the suppliers for which it has ever sent entries. */
      readonly suppliers: readonly string[];
    };

/** The latest entry of a serial under a holder, as its supplier knows it. */
export interface FoundEntry {
  readonly supplier_key: string;
  readonly serial_key: string;
  readonly holder_key: string;
  readonly entry: number;
  readonly outcome: string;
  readonly status: string;
  readonly reason: string;
  readonly note: string;
  readonly account: string;
  readonly supplier: string;
  readonly holder: string;
  readonly series: string;
  readonly model: string;
  readonly serial: string;
  readonly submission: string;
  readonly row: number;
  readonly received_at: number;
  readonly listing_note: string;
  readonly decision_note: string;
}

/** A place in the order of results: supplier, serial, holder. */
export type Place = readonly [supplierKey: string, serialKey: string, holderKey: string];

export function placeOf({ supplier_key, serial_key, holder_key }: FoundEntry): Place {
  return [supplier_key, serial_key, holder_key];
}

/** A cursor is nothing but a place: what may be seen there is asked anew on every page. */
export function cursorOf(place: Place): string {
  return Buffer.from(JSON.stringify(place), 'utf8').toString('base64url');
}

/** Undefined when it is no cursor of ours. */
export function readCursor(cursor: string): Place | undefined {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (!Array.isArray(place) || place.length !== 3) return undefined;
    return place.every((part) => typeof part === 'string') ? (place as unknown as Place) : undefined;
  } catch {
    return undefined;
  }
}

export function stateOf({ outcome }: Pick<FoundEntry, 'outcome'>): 'registered' | 'invalid' {
  return outcome === 'invalidated' ? 'invalid' : 'registered';
}

/** Receipt of the change that set the status which a serial has; nothing while none is set. Any other entry ends it. */
export function statusSince(latest: Pick<FoundEntry, 'outcome' | 'received_at'>): number | null {
  return latest.outcome === 'status_updated' ? latest.received_at : null;
}

/** Whether the latest entry of a serial is what is searched for, and may be seen. */
export function matches(query: SearchQuery, scope: SearchScope, entry: FoundEntry): boolean {
  const same = (asked: string | undefined, key: string) => asked === undefined || normalise(asked) === key;
  return (
    maySee(scope, entry) &&
    same(query.supplier, entry.supplier_key) &&
    same(query.holder, entry.holder_key) &&
    same(query.serial, entry.serial_key) &&
    same(query.model, normalise(entry.model)) &&
    same(query.status, normalise(entry.status)) &&
    (query.serialPrefix === undefined || entry.serial_key.startsWith(normalise(query.serialPrefix))) &&
    (query.state === undefined || query.state === stateOf(entry)) &&
    (query.submission === undefined || query.submission === entry.submission) &&
    (query.receivedFrom === undefined || entry.received_at >= query.receivedFrom) &&
    (query.receivedBefore === undefined || entry.received_at < query.receivedBefore)
  );
}

function maySee(scope: SearchScope, { account, supplier_key }: FoundEntry): boolean {
  return scope.kind === 'all' || account === scope.account || scope.served.includes(supplier_key);
}
