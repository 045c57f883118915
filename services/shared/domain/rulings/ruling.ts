/** The regulator's word on a model, a serial or a conflict. Shapes mirror `schemas/Ruling.avsc`. */
export const rulingKinds = [
  'model_ineligible',
  'model_eligible',
  'serial_ineligible',
  'serial_eligible',
  'conflict_resolved',
  'conflict_reopened',
] as const;
export type RulingKind = (typeof rulingKinds)[number];

/** What a ruling is about. Keys are normalised; what the kind has no use for is empty. */
export interface RulingSubject {
  readonly product: string;
  readonly holder_key: string;
  readonly model_key: string;
  readonly serial_key: string;
}

export interface Ruling extends RulingSubject {
  readonly ruling: string;
  readonly kind: string;
  readonly account: string;
  readonly submitted_by: string;
  readonly received_at: number;
  readonly reason: string;
  readonly holder: string;
  readonly model: string;
  readonly serial: string;
  /** Of `model_ineligible`: first installation day that it concerns; empty for all. */
  readonly from_day: string;
  /** Of a conflict: the supplier whose registration stands, and those whose registrations stay refused; normalised. */
  readonly held_by: string;
  readonly disputed_by: readonly string[];
}

/** What the fold needs of a ruling. */
export type RulingFacts = Pick<
  Ruling,
  | 'kind'
  | 'product'
  | 'holder_key'
  | 'model_key'
  | 'serial_key'
  | 'reason'
  | 'from_day'
  | 'held_by'
  | 'disputed_by'
>;

/** All rulings that concern some question, in the order of the log. The latest on a subject counts. */
export type Rulings = readonly RulingFacts[];

/** ELIG-6: why a model earns nothing when installed on that day, or empty. */
export function ineligibleModel(
  rulings: Rulings,
  model: Pick<RulingSubject, 'product' | 'holder_key' | 'model_key'>,
  installedOn: string,
): string {
  const latest = rulings.findLast(
    (ruling) =>
      (ruling.kind === 'model_ineligible' || ruling.kind === 'model_eligible') &&
      ruling.product === model.product &&
      ruling.holder_key === model.holder_key &&
      ruling.model_key === model.model_key,
  );
  return latest?.kind === 'model_ineligible' && installedOn >= latest.from_day ? latest.reason : '';
}

/** ELIG-6: why a serial earns nothing, under whatever holder it is claimed, or undefined. */
export function ineligibleSerial(
  rulings: Rulings,
  serial: Pick<RulingSubject, 'product' | 'serial_key'>,
): string | undefined {
  const latest = rulings.findLast(
    (ruling) =>
      (ruling.kind === 'serial_ineligible' || ruling.kind === 'serial_eligible') &&
      ruling.product === serial.product &&
      ruling.serial_key === serial.serial_key,
  );
  return latest?.kind === 'serial_ineligible' ? latest.reason : undefined;
}

/** A serial that one supplier holds and others were refused. */
export interface Dispute extends Pick<RulingSubject, 'product' | 'holder_key' | 'serial_key'> {
  readonly held_by: string;
  readonly disputed_by: readonly string[];
}

/**
 * The ruling by which a dispute is settled, or undefined while it is open. It speaks of the parties that it names: another
 * holder, or another supplier that was refused since, opens the conflict anew.
 */
export function resolutionOf<R extends RulingFacts>(rulings: readonly R[], dispute: Dispute): R | undefined {
  const latest = rulings.findLast(
    (ruling) =>
      (ruling.kind === 'conflict_resolved' || ruling.kind === 'conflict_reopened') &&
      ruling.product === dispute.product &&
      ruling.holder_key === dispute.holder_key &&
      ruling.serial_key === dispute.serial_key,
  );
  if (latest?.kind !== 'conflict_resolved' || latest.held_by !== dispute.held_by) return undefined;
  return dispute.disputed_by.every((supplier) => latest.disputed_by.includes(supplier)) ? latest : undefined;
}
