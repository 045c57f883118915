import { type Account, isRegulator } from '#gateway/accounts/account.ts';
import type { AuthorityTest } from '#gateway/accounts/authority.ts';
import { normalise } from '#shared/domain/normalise.ts';
import { partitionOf } from '#shared/domain/partition.ts';
import type { Product } from '#shared/domain/serials.ts';
import type { Ticks } from './ticks.ts';
import type { Watermarks } from './watermarks.ts';

/** The latest entry of a serial under one holder, as the ledger has it. */
export interface Entry {
  readonly serial_key: string;
  readonly holder_key: string;
  readonly holder: string;
  readonly series: string;
  readonly model: string;
  readonly serial: string;
  readonly supplier: string;
  readonly supplier_key: string;
  readonly account: string;
  readonly outcome: string;
  readonly status: string;
  readonly entry: number;
  readonly submission: string;
  readonly row: number;
  readonly received_at: number;
  readonly remarks: readonly string[];
}

/** `not_yet`: what is asked about may still be on its way; entries that are there already are provisional (Q1). */
export interface LookupAnswer {
  readonly serial: string;
  readonly state: 'found' | 'not_found' | 'not_yet';
  readonly entries: readonly Entry[];
}

export interface LookupPorts {
  readonly partitions: number;
  readonly ticks: Pick<Ticks, 'stamp'>;
  readonly watermarks: Pick<Watermarks, 'reached'>;
  /** What an account may upload today. */
  authorityOf(viewer: Account): AuthorityTest;
  /** Latest entries of the serials, by normalised text. */
  entries(product: Product, serialKeys: readonly string[]): Promise<readonly Entry[]>;
}

/**
 * Answers by rule Q1: stamp the question, see how far the ledger is, then read. Whatever was accepted before the question
 * is found, or the answer is "not yet"; no clock is part of the argument, `waitMs` only says how long to be patient.
 */
export async function lookUp(
  ports: LookupPorts,
  question: { readonly product: Product; readonly serials: readonly string[]; readonly viewer: Account },
  waitMs: number,
): Promise<readonly LookupAnswer[]> {
  const asked = question.serials.map((serial) => {
    const key = normalise(serial);
    return { serial, key, partition: partitionOf(question.product, key, ports.partitions) };
  });
  const partitions = new Set(asked.map(({ partition }) => partition));
  const all = await ports.ticks.stamp(partitions);
  const stamps = new Map([...all].filter(([partition]) => partitions.has(partition)));
  const reached = await ports.watermarks.reached(stamps, waitMs);
  const entries = await ports.entries(question.product, [...new Set(asked.map(({ key }) => key))]);
  const visible = entries.filter(visibleTo(question.viewer, ports.authorityOf(question.viewer)));
  return asked.map(({ serial, key, partition }) => {
    const own = visible.filter(({ serial_key }) => serial_key === key);
    if (!reached.has(partition)) return { serial, state: 'not_yet', entries: own };
    return { serial, state: own.length > 0 ? 'found' : 'not_found', entries: own };
  });
}

/** SEC-1: the regulator sees all, others what they sent, or what others sent and they themselves might have sent. */
export function visibleTo(
  viewer: Account,
  mayUpload: AuthorityTest,
): (entry: Pick<Entry, 'account' | 'supplier_key' | 'holder_key' | 'model'>) => boolean {
  if (isRegulator(viewer)) return () => true;
  return ({ account, supplier_key, holder_key, model }) =>
    account === viewer.id || mayUpload(supplier_key, holder_key, normalise(model));
}
