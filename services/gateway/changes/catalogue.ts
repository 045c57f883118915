import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/schema';
import { normalise } from '#shared/domain/normalise.ts';

/** Why something is changed. */
export interface ChangeReason {
  /** Stands in the ledger. */
  readonly id: string;
  /** As people read it; taken in files as well. */
  readonly label: string;
  /** INV-2: it says nothing without a text of its own. */
  readonly needsNote: boolean;
}

/** What can be said of an inverter or a battery, and why. */
export interface ChangeStatus {
  readonly id: string;
  readonly label: string;
  readonly reasons: readonly ChangeReason[];
}

/**
 * The reasons for marking serials as invalid, and the statuses with theirs. What the regulator has is not published (UNK-3,
 * UNK-4): these are the ledger's own, and data.
 */
export interface Catalogue {
  /** Whose lists these are. */
  readonly source: string;
  readonly invalidationReasons: readonly ChangeReason[];
  readonly statusReasons: readonly ChangeReason[];
  readonly statuses: readonly ChangeStatus[];
}

export const catalogueIdCharsMax = 60;

const strict = { additionalProperties: false } as const;
const Id = Type.String({ pattern: '^[a-z0-9]+(_[a-z0-9]+)*$', maxLength: catalogueIdCharsMax });
const Label = Type.String({ pattern: '^\\S(.*\\S)?$', maxLength: 100 });
const Reason = Type.Object({ id: Id, label: Label, needs_note: Type.Optional(Type.Boolean()) }, strict);
const File = Type.Object(
  {
    source: Type.String({ minLength: 1 }),
    invalidation_reasons: Type.Array(Reason, { minItems: 1 }),
    status_reasons: Type.Array(Reason, { minItems: 1 }),
    statuses: Type.Array(
      Type.Object({ id: Id, label: Label, reasons: Type.Array(Id, { minItems: 1 }) }, strict),
      { minItems: 1 },
    ),
  },
  strict,
);
const fileCheck = Compile(File);

/** @throws with what is wrong: a service does not start with a catalogue that can be understood in two ways. */
export function parseCatalogue(text: string): Catalogue {
  const file: unknown = JSON.parse(text);
  const [, [fault]] = fileCheck.Errors(file);
  if (fault) throw new Error(`${fault.instancePath || 'the catalogue'} ${fault.message}`);
  const { source, invalidation_reasons, status_reasons, statuses } = file as Static<typeof File>;
  const invalidationReasons = invalidation_reasons.map(reasonOf);
  const statusReasons = status_reasons.map(reasonOf);
  for (const entries of [invalidationReasons, statusReasons, statuses]) requireDistinct(entries);
  const other = findEntry(invalidationReasons, 'Other');
  if (!other?.needsNote) throw new Error('the reasons for marking as invalid need one, Other, with a note');
  return {
    source,
    invalidationReasons,
    statusReasons,
    statuses: statuses.map(({ id, label, reasons }) => ({
      id,
      label,
      reasons: reasons.map((reason) => knownReason(statusReasons, reason, id)),
    })),
  };
}

/** The entry that a text names, by id or label; case and extra spaces do not count (SER-2). */
export function findEntry<T extends { readonly id: string; readonly label: string }>(
  entries: readonly T[],
  text: string,
): T | undefined {
  const key = normalise(text);
  return entries.find(({ id, label }) => normalise(id) === key || normalise(label) === key);
}

function reasonOf({ id, label, needs_note }: Static<typeof Reason>): ChangeReason {
  return { id, label, needsNote: needs_note ?? false };
}

function knownReason(reasons: readonly ChangeReason[], id: string, status: string): ChangeReason {
  const reason = reasons.find((known) => known.id === id);
  if (!reason) throw new Error(`the status ${status} names the reason ${id}, which there is not`);
  return reason;
}

/** No text may name two entries. */
function requireDistinct(entries: readonly { readonly id: string; readonly label: string }[]): void {
  const seen = new Map<string, string>();
  for (const { id, label } of entries)
    for (const key of new Set([normalise(id), normalise(label)])) {
      const other = seen.get(key);
      if (other !== undefined) throw new Error(`${id} and ${other} are called the same`);
      seen.set(key, id);
    }
}
