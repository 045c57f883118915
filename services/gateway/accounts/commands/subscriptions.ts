import type { Account, KeySlot, Subscription } from '#gateway/accounts/account.ts';
import { keySlots } from '#gateway/accounts/account.ts';
import { type NewKey, newKey } from '#gateway/accounts/keys.ts';
import { currentText } from '#gateway/declarations/texts.ts';
import { newId } from '#gateway/ids.ts';
import { type Refusal, refuse } from '#gateway/refusal.ts';
import { sydneyDay } from '#shared/domain/days.ts';
import { normalise } from '#shared/domain/normalise.ts';
import type { Command } from './command.ts';

export const subscriptionsMax = 50;

/** Keys whose texts are shown when the command has succeeded, and kept nowhere. */
export interface Keyed {
  readonly command: Command;
  readonly subscription: string;
  readonly keys: Readonly<Record<string, NewKey>>;
}

/** CF-7: what is agreed to is the wording that holds today. */
export function termsRefusal(agreed: string, now: number): Refusal | undefined {
  const terms = currentText('terms_of_use', sydneyDay(now))?.id ?? '';
  return agreed === terms ? undefined : refuse('terms_not_agreed', undefined, { terms });
}

/** D2, D3: a name, agreement to the terms of use that hold today, and two keys. */
export function openSubscription(
  given: { readonly name: string; readonly user: string | undefined; readonly terms: string },
  now: number,
): Keyed {
  const subscription = newId(now);
  const keys = Object.fromEntries(keySlots.map((slot) => [slot, newKey()])) as Record<KeySlot, NewKey>;
  const command: Command = (account) => {
    const refusal = termsRefusal(given.terms, now);
    if (refusal) return refusal;
    const live = account.subscriptions.filter((of) => isLive(account, of));
    if (live.some(({ name }) => normalise(name) === normalise(given.name)))
      return refuse('subscription_name_taken');
    if (live.length >= subscriptionsMax)
      return refuse('subscriptions_too_many', undefined, { limit: subscriptionsMax });
    const made = keySlots.map((slot) => ({ key: keys[slot].id, slot, sha256: keys[slot].sha256 }));
    const user = given.user === undefined ? {} : { user: given.user };
    return {
      kind: 'subscription_created',
      data: { subscription, name: given.name, ...user, terms: given.terms, keys: made },
    };
  };
  return { command, subscription, keys };
}

/** A new key in a slot; the one that was there ends, the other slot's goes on. */
export function rotateKey(subscription: string, slot: KeySlot): Keyed {
  const key = newKey();
  const command: Command = (account) => {
    const known = account.subscriptions.find(({ id }) => id === subscription);
    if (!known || known.revokedAt !== undefined) return refuse('resource_not_found');
    return { kind: 'key_rotated', data: { subscription, slot, key: key.id, sha256: key.sha256 } };
  };
  return { command, subscription, keys: { [slot]: key } };
}

/** Revoking what is revoked succeeds: it is revoked. */
export function revokeSubscription(subscription: string): Command {
  return (account) => {
    const known = account.subscriptions.find(({ id }) => id === subscription);
    if (!known) return refuse('resource_not_found');
    return known.revokedAt === undefined
      ? { kind: 'subscription_revoked', data: { subscription } }
      : undefined;
  };
}

/** A subscription with a primary key alone, from an operator's hand. */
export function giveKey(label: string, user: string | undefined): Keyed {
  const key = newKey();
  const command: Command = (account) => {
    if (user !== undefined && !account.users.some((of) => of.user === user)) return refuse('user_unknown');
    const data = { key: key.id, label, sha256: key.sha256, ...(user === undefined ? {} : { user }) };
    return { kind: 'key_created', data };
  };
  return { command, subscription: key.id, keys: { primary: key } };
}

export function revokeKey(key: string): Command {
  return (account) => {
    const known = account.keys.find(({ id }) => id === key);
    if (!known) return refuse('resource_not_found');
    return known.revokedAt === undefined ? { kind: 'key_revoked', data: { key } } : undefined;
  };
}

/** A subscription all of whose keys were revoked one by one is as good as revoked. */
function isLive(account: Account, { id, revokedAt }: Subscription): boolean {
  return (
    revokedAt === undefined &&
    account.keys.some(({ subscription, revokedAt: ended }) => subscription === id && ended === undefined)
  );
}
