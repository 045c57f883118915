import { isOfKind } from '#gateway/accounts/account.ts';
import { newId } from '#gateway/ids.ts';
import { refuse } from '#gateway/refusal.ts';
import type { Command } from './command.ts';

export interface AuthorityGiven {
  readonly supplier: string;
  readonly holder?: string;
  readonly models?: readonly string[];
  readonly from?: string;
  readonly to?: string;
}

export const authoritiesMax = 2_000;

/** SUP-2 */
export function grantAuthority(given: AuthorityGiven, now: number): Command {
  return (account) => {
    if (given.from !== undefined && given.to !== undefined && given.to < given.from)
      return refuse('period_invalid');
    if (account.authorities.length >= authoritiesMax)
      return refuse('authorities_too_many', undefined, { limit: authoritiesMax });
    return { kind: 'authority_granted', data: { authority: newId(now), ...given } };
  };
}

/** `to` is the last day of the authority; what was uploaded until then stands. */
export function endAuthority(id: string, to: string): Command {
  return (account) => {
    const authority = account.authorities.find((of) => of.id === id);
    if (!authority) return refuse('resource_not_found');
    if (authority.to === to) return undefined;
    return { kind: 'authority_ended', data: { authority: id, to } };
  };
}

/** An approved entity names who verifies for it. Whoever is no verification service provider is not there. */
export function nameProvider(provider: string): Command {
  return (account, { book }) => {
    const named = book.get(provider);
    if (!named || !isOfKind(named, 'vsp') || named.id === account.id) return refuse('resource_not_found');
    if (account.providers.some((of) => of.account === provider)) return undefined;
    return { kind: 'provider_named', data: { account: provider } };
  };
}

export function withdrawProvider(provider: string): Command {
  return (account) =>
    account.providers.some((of) => of.account === provider)
      ? { kind: 'provider_withdrawn', data: { account: provider } }
      : refuse('resource_not_found');
}
