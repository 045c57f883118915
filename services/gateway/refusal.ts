import type { RequestReason } from '#shared/domain/reasons.ts';

/** Why a request is refused as a whole: a value, since wrong data is no error. Nothing of the request was stored. */
export interface Refusal {
  readonly refused: RequestReason;
  /** What of this request: becomes `detail` of the problem document. */
  readonly detail?: string;
  /** Further members of the problem document, named in the hint of the reason. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

export function refuse(
  refused: RequestReason,
  detail?: string,
  facts?: Readonly<Record<string, unknown>>,
): Refusal {
  return { refused, ...(detail === undefined ? {} : { detail }), ...(facts === undefined ? {} : { facts }) };
}

export function isRefusal(value: object): value is Refusal {
  return 'refused' in value;
}

/** A refusal on its way out of the middle of something. */
export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.detail ?? refusal.refused);
    this.refusal = refusal;
  }
}
