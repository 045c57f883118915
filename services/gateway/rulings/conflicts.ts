import type { StoredRuling } from '#gateway/ledger/rulings.ts';
import { type Dispute, resolutionOf } from '#shared/domain/rulings/ruling.ts';

/** One side of a conflict: who sent which row when. */
interface Side {
  readonly supplier: string;
  readonly account: string;
  readonly submission: string;
  readonly row: number;
  readonly received_at: number;
}

/** A serial that one supplier holds under a holder and others were refused, as the ledger has it. */
export interface ConflictRow {
  readonly product: string;
  readonly serial_key: string;
  readonly holder_key: string;
  readonly serial: string;
  readonly holder: string;
  readonly model: string;
  /** `invalidated` when the entry of the supplier that holds it was marked invalid. */
  readonly latest_outcome: string;
  readonly held_by: string;
  readonly held: Side;
  readonly disputing: readonly (Side & { readonly supplier_key: string; readonly model: string })[];
}

export type ConflictPlace = Pick<ConflictRow, 'product' | 'serial_key' | 'holder_key'>;

export interface ConflictPage {
  readonly after: ConflictPlace;
  readonly limit: number;
}

export interface ConflictPorts {
  conflicts(page: ConflictPage): Promise<readonly ConflictRow[]>;
  rulings(serialKeys: readonly string[]): Promise<readonly StoredRuling[]>;
  accountName(account: string): string;
}

export type ConflictState = 'open' | 'resolved';

export function disputeOf({ product, serial_key, holder_key, held_by, disputing }: ConflictRow): Dispute {
  const disputed_by = [...new Set(disputing.map(({ supplier_key }) => supplier_key))].sort();
  return { product, serial_key, holder_key, held_by, disputed_by };
}

/**
 * A page of conflicts with both sides, in the order of the serials. `state` picks among the conflicts of the page, so
 * that a page may show fewer than `limit`, or none, and still have a next one.
 */
export async function conflictPage(
  ports: ConflictPorts,
  question: { readonly state: ConflictState | ''; readonly after: string; readonly limit: number },
): Promise<{ conflicts: object[]; next?: string }> {
  const after = placeOf(question.after);
  const rows = await ports.conflicts({ after, limit: question.limit });
  const rulings = await ports.rulings(rows.map(({ serial_key }) => serial_key));
  const last = rows.at(-1);
  return {
    conflicts: rows
      .map((row) => ({ row, resolution: resolutionOf(rulings, disputeOf(row)) }))
      .filter(({ resolution }) => question.state === '' || (question.state === 'resolved') === !!resolution)
      .map(({ row, resolution }) => conflictView(row, resolution, ports)),
    ...(last && rows.length === question.limit ? { next: cursorOf(last) } : {}),
  };
}

function conflictView(
  row: ConflictRow,
  resolution: StoredRuling | undefined,
  { accountName }: ConflictPorts,
): object {
  const named = <S extends Side>(side: S) => ({ ...side, account_name: accountName(side.account) });
  return {
    product: row.product,
    serial: row.serial,
    holder: row.holder,
    model: row.model,
    state: resolution ? 'resolved' : 'open',
    held_by: { ...named(row.held), state: row.latest_outcome === 'invalidated' ? 'invalid' : 'registered' },
    disputed_by: row.disputing.map(({ supplier_key: _, ...side }) => named(side)),
    ...(resolution
      ? {
          resolution: {
            ruling: resolution.ruling,
            by: resolution.account,
            at: resolution.received_at,
            reason: resolution.reason,
          },
        }
      : {}),
  };
}

function cursorOf({ product, serial_key, holder_key }: ConflictRow): string {
  return Buffer.from(JSON.stringify([product, serial_key, holder_key])).toString('base64url');
}

/** The place after which a page begins. A text that is none begins at the beginning. */
function placeOf(cursor: string): ConflictPlace {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const [product, serial_key, holder_key] = Array.isArray(parts) ? parts : [];
    if (typeof product === 'string' && typeof serial_key === 'string' && typeof holder_key === 'string')
      return { product, serial_key, holder_key };
  } catch {
    // Not one of ours.
  }
  return { product: '', serial_key: '', holder_key: '' };
}
