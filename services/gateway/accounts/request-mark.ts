import { hash } from 'node:crypto';
import { joinKey } from '#shared/base/keys.ts';

/**
 * By what a request that comes again is told from a new one; kept with the event that it made, so that every instance knows
 * it, also after a restart. The Idempotency-Key itself is not kept.
 */
export interface RequestMark {
  /** Who asked, and with which Idempotency-Key. */
  readonly request: string;
  /** What was asked for. */
  readonly sha256: string;
}

/** `who`: those among whom a key is looked for: an account. */
export function requestMark(who: string, idempotencyKey: string, asked: unknown): RequestMark {
  return {
    request: hash('sha256', joinKey(who, idempotencyKey), 'hex'),
    sha256: hash('sha256', JSON.stringify(sorted(asked)), 'hex'),
  };
}

/** The mark of one of several events that a request makes. */
export function partOf(mark: RequestMark, part: string): RequestMark {
  return { ...mark, request: hash('sha256', joinKey(mark.request, part), 'hex') };
}

/** The same value with the members of objects in one order: how a sender writes them says nothing. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => [name, sorted(member)]);
}
