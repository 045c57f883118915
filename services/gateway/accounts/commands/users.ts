import { refuse } from '#gateway/refusal.ts';
import type { Command } from './command.ts';

export const usersMax = 200;

/** Adds a user, or changes what one may do. Only once an application of the account was approved (A8). */
export function permitUser(user: string, administrator: boolean): Command {
  return (account, { book }) => {
    if (account.kinds.every((kind) => kind === 'general')) return refuse('users_before_assessment');
    const known = account.users.find((of) => of.user === user);
    if (known?.administrator === administrator) return undefined;
    if (!known && !book.user(user)) return refuse('user_unknown');
    if (!known && account.users.length >= usersMax)
      return refuse('users_too_many', undefined, { limit: usersMax });
    return { kind: 'user_permitted', data: { user, administrator } };
  };
}

/** The user's keys of this account end with it. */
export function removeUser(user: string): Command {
  return (account) => {
    if (!account.users.some((of) => of.user === user)) return refuse('resource_not_found');
    if (account.contact === user) return refuse('contact_stays');
    return { kind: 'user_removed', data: { user } };
  };
}

/** A5: the nominated contact is changed through the agency alone. */
export function changeContact(user: string): Command {
  return (account, { book }) => {
    if (!book.user(user)) return refuse('user_unknown');
    return account.contact === user ? undefined : { kind: 'contact_changed', data: { user } };
  };
}
