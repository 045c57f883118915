import type { IncomingHttpHeaders } from 'node:http';
import { type Account, isOfKind, pendingApplication } from '#gateway/accounts/account.ts';
import type { Identity } from '#gateway/accounts/book.ts';
import { type Refusal, refuse } from '#gateway/refusal.ts';
import { credentialsOf } from './credentials.ts';
import type { Operation } from './operation.ts';

export interface Gate {
  /** Knows all accounts? */
  readonly ready: () => boolean;
  readonly identify: (key: string) => Identity | undefined;
  /** Told of every request that a key was accepted for. */
  readonly used?: (identity: Identity) => void;
}

/**
 * Who asks, and whether accounts of their kind may: no key, unknown key, wrong kind of account; and nobody while not all
 * keys are known (A1). Undefined for a public operation. What an account may see of others is for the handlers to say.
 */
export function admit(
  operation: Pick<Operation, 'access'>,
  headers: IncomingHttpHeaders,
  gate: Gate,
): Identity | Refusal | undefined {
  if (operation.access === 'public') return undefined;
  if (!gate.ready()) return refuse('not_ready');
  const key = credentialsOf(headers);
  if (key === undefined) return refuse('credentials_missing');
  const identity = gate.identify(key);
  if (!identity) return refuse('credentials_unknown');
  gate.used?.(identity);
  if (!isOfKind(identity.account, ...operation.access)) return wrongKind(operation.access, identity.account);
  return identity;
}

/** A6: whoever waits for an assessment is told so. */
function wrongKind(access: Exclude<Operation['access'], 'public'>, account: Account): Refusal {
  const pending = pendingApplication(account);
  if (pending?.kinds.some((kind) => access.includes(kind)))
    return refuse('application_pending', undefined, { application: pending.id });
  const refused = account.applications.findLast(({ assessment }) => assessment?.decision === 'refused');
  const kinds = `this is an account of the kinds ${account.kinds.join(', ')}`;
  const detail = refused
    ? `${kinds}; its last application was refused: ${refused.assessment?.reason}`
    : kinds;
  return refuse('not_permitted', detail, { permitted: access });
}
