import { joinKey } from '#shared/base/keys.ts';
import type {
  ClaimEvent,
  EntryEvidence,
  Evidence,
  ModelEvidence,
  SerialEvidence,
} from '#shared/domain/claims/claim.ts';
import {
  type ClaimedSerial,
  currentRules,
  inLedger,
  type ModelKey,
  modelsOf,
  serialsOf,
} from '#shared/domain/claims/index.ts';
import { modelKeyOf, sameModel } from '#shared/domain/claims/models.ts';
import { sydneyDay } from '#shared/domain/days.ts';
import { normalise } from '#shared/domain/normalise.ts';
import { partitionOf } from '#shared/domain/partition.ts';
import {
  ineligibleModel,
  ineligibleSerial,
  type Rulings,
  resolutionOf,
} from '#shared/domain/rulings/ruling.ts';
import type { Answer, LedgerEntry, Listings, Question } from './questions.ts';

/** Where a message stands in `claims.submitted`, and when its evidence was complete. */
export interface Source {
  readonly partition: number;
  readonly offset: number;
  readonly at: number;
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
    evidenced_at: source.at,
    rulings_offset: -1,
    ineligible_serials: [],
  };
}

/** What ledger and lists say of a claim, in the order of the claim. */
export function evidenceOf(
  claim: ClaimEvent,
  source: Source,
  answer: Answer,
  entries: EntriesBySerial,
): Evidence {
  const serials = serialsOf(claim);
  const { rulings } = answer.rulings;
  return {
    ...noEvidence(claim, source),
    stamps: [...answer.stamps]
      .map(([partition, stamp]) => ({ partition, stamp, watermark: answer.watermarks.get(partition) ?? -1 }))
      .sort((a, b) => a.partition - b.partition),
    serial_evidence: serials.map(({ item, serial_key }) =>
      serialEvidence(item.product, serial_key, entries, rulings),
    ),
    model_evidence: modelsOf(claim).map((model) => ({
      ...modelEvidence(model, answer.listings),
      authority: authorityFor(model, serials, entries),
      ineligible: ineligibleModel(rulings, model, claim.installed_on),
    })),
    snapshot: answer.listings.snapshot,
    rulings_offset: answer.rulings.offset,
    ineligible_serials: serials.flatMap(({ item: { product }, serial_key }) => {
      const reason = ineligibleSerial(rulings, { product, serial_key });
      return reason === undefined ? [] : [{ product, serial_key, reason }];
    }),
  };
}

/** Found: under some holder there is an entry. Rows that made none for want of authority are evidence besides. */
function serialEvidence(
  product: string,
  serialKey: string,
  entries: EntriesBySerial,
  rulings: Rulings,
): SerialEvidence {
  const known = entries.get(joinKey(product, serialKey)) ?? [];
  const found = known.some(({ entry }) => entry > 0) ? 'found' : 'not_found';
  const state = inLedger(product) ? found : 'not_checked';
  return {
    product,
    serial_key: serialKey,
    state,
    entries: known.map((entry) => entryEvidence(entry, rulings)),
  };
}

function entryEvidence(found: LedgerEntry, rulings: Rulings): EntryEvidence {
  const { product: _, serial_key: __, registered_at, held_by: ___, disputed_by, ...evidence } = found;
  return {
    ...evidence,
    registered_on: registered_at > 0 ? sydneyDay(registered_at) : '',
    conflict: disputed_by.length > 0 && resolutionOf(rulings, found) === undefined,
  };
}

function modelEvidence(model: ModelKey, listings: Listings) {
  if (!listings.products.has(model.product))
    return { ...model, state: 'not_checked', windows: [], ...unknownModel } as const;
  const listed = listings.models.find((candidate) => sameModel(candidate, model));
  return listed && listed.windows.length > 0
    ? ({ ...listed, state: 'listed' } as const)
    : ({ ...model, state: 'not_listed', windows: [], ...unknownModel } as const);
}

const unknownModel = { usable_kwh: '', nominal_kwh: '' } as const;

/**
 * A row outside its account's authority is never registered: so the supplier of a claimed serial that the ledger has
 * under this model had authority when it was uploaded. Of a model without such a serial nothing is known.
 */
function authorityFor(
  model: ModelKey,
  serials: readonly ClaimedSerial[],
  entries: EntriesBySerial,
): ModelEvidence['authority'] {
  const registered = serials
    .filter(({ item }) => sameModel(modelKeyOf(item), model))
    .flatMap(({ item, serial_key }) => entries.get(joinKey(item.product, serial_key)) ?? [])
    .some(
      (found) =>
        found.entry > 0 &&
        found.holder_key === model.holder_key &&
        normalise(found.model) === model.model_key,
    );
  return registered ? 'authorised' : 'not_checked';
}
