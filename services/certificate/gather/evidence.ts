import { joinKey } from '#shared/base/keys.ts';
import type {
  ClaimEvent,
  EntryEvidence,
  Evidence,
  ModelEvidence,
  SerialEvidence,
} from '#shared/domain/claims/claim.ts';
import { currentRules, inLedger, type ModelKey, modelsOf, serialsOf } from '#shared/domain/claims/index.ts';
import { sameModel } from '#shared/domain/claims/models.ts';
import { sydneyDay } from '#shared/domain/days.ts';
import { partitionOf } from '#shared/domain/partition.ts';
import type { Answer, LedgerEntry, Listings, Question } from './questions.ts';

/** Where a message stands in `claims.submitted`. */
export interface Source {
  readonly partition: number;
  readonly offset: number;
}

/** What is to be asked for a claim; nothing for a withdrawal or an audit. */
export function questionOf(claim: ClaimEvent, partitions: number): Question {
  if (claim.kind !== 'claim') return { serials: [], models: [] };
  const serials = serialsOf(claim)
    .filter(({ item }) => inLedger(item.product))
    .map(({ item: { product }, serial_key }) => ({
      product,
      serial_key,
      partition: partitionOf(product, serial_key, partitions),
    }));
  return { serials, models: modelsOf(claim) };
}

/** Entries by serial, once for all claims that were answered together. */
export type EntriesBySerial = ReadonlyMap<string, readonly LedgerEntry[]>;

export function bySerial(entries: readonly LedgerEntry[]): EntriesBySerial {
  const index = new Map<string, LedgerEntry[]>();
  for (const entry of entries) {
    const key = joinKey(entry.product, entry.serial_key);
    const known = index.get(key);
    if (known) known.push(entry);
    else index.set(key, [entry]);
  }
  return index;
}

/** The evidence of an event that needs none. */
export function noEvidence(claim: ClaimEvent, source: Source): Evidence {
  return {
    source_partition: source.partition,
    source_offset: source.offset,
    created_on: sydneyDay(claim.received_at),
    stamps: [],
    serial_evidence: [],
    model_evidence: [],
    snapshot: '',
    rules_version: currentRules.version,
  };
}

/** What ledger and lists say of a claim, in the order of the claim. */
export function evidenceOf(
  claim: ClaimEvent,
  source: Source,
  answer: Answer,
  entries: EntriesBySerial,
): Evidence {
  return {
    ...noEvidence(claim, source),
    stamps: [...answer.stamps]
      .map(([partition, stamp]) => ({ partition, stamp, watermark: answer.watermarks.get(partition) ?? -1 }))
      .sort((a, b) => a.partition - b.partition),
    serial_evidence: serialsOf(claim).map(({ item, serial_key }) =>
      serialEvidence(item.product, serial_key, entries),
    ),
    model_evidence: modelsOf(claim).map((model) => modelEvidence(model, answer.listings)),
    snapshot: answer.listings.snapshot,
  };
}

function serialEvidence(product: string, serialKey: string, entries: EntriesBySerial): SerialEvidence {
  const found = entries.get(joinKey(product, serialKey)) ?? [];
  const state = !inLedger(product) ? 'not_checked' : found.length > 0 ? 'found' : 'not_found';
  return { product, serial_key: serialKey, state, entries: found.map(entryEvidence) };
}

function entryEvidence(entry: LedgerEntry): EntryEvidence {
  const { product: _, serial_key: __, registered_at, ...evidence } = entry;
  return { ...evidence, registered_on: registered_at > 0 ? sydneyDay(registered_at) : '' };
}

function modelEvidence(model: ModelKey, listings: Listings): ModelEvidence {
  if (!listings.products.has(model.product))
    return { ...model, state: 'not_checked', windows: [], ...unknownModel };
  const listed = listings.models.find((candidate) => sameModel(candidate, model));
  return listed && listed.windows.length > 0
    ? { ...listed, state: 'listed' }
    : { ...model, state: 'not_listed', windows: [], ...unknownModel };
}

const unknownModel = { usable_kwh: '', nominal_kwh: '', authority: 'not_checked', ineligible: '' } as const;
