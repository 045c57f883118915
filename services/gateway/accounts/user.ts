import type { AccountEvent, UserChange } from './events.ts';

/** A person who signed up at the Client Portal once; belongs to any number of accounts. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly version: number;
}

/** As `applyEvent` of accounts. */
export function applyUserEvent(user: User | undefined, event: AccountEvent): User | undefined {
  if (event.version !== (user?.version ?? 0)) return undefined;
  if (user) return event.kind === 'user_registered' ? undefined : { ...user, version: event.version + 1 };
  if (event.kind !== 'user_registered') return undefined;
  const { name, email } = JSON.parse(event.data) as UserChange['data'];
  return { id: event.account, name, email, version: 1 };
}
