import type { Account, MadeDeclaration } from '#gateway/accounts/account.ts';
import { addDays, daysBetween, sydneyDay } from '#shared/domain/days.ts';
import { addMonths } from '#shared/domain/entitlement/calendar.ts';

/** UNK-7: whether the day that ends the three months still counts. */
export const lastDays = ['included', 'excluded'] as const;
export type LastDay = (typeof lastDays)[number];

const monthsOfDeclaration = 3;

export type ApiDeclaration = { readonly state: 'none' } | KnownDeclaration;

export interface KnownDeclaration {
  readonly state: 'current' | 'expired';
  readonly declaration: MadeDeclaration;
  /** Sydney days. `until` is the last day on which it is current. */
  readonly madeOn: string;
  readonly until: string;
  /** 0 on the last day, negative afterwards. */
  readonly daysLeft: number;
}

/** DECL-3: the same day of the month three calendar months later, or that month's last day. */
export function lastDayOf(madeOn: string, lastDay: LastDay): string {
  const end = addMonths(madeOn, monthsOfDeclaration);
  return lastDay === 'included' ? end : addDays(end, -1);
}

/** DECL-2: the latest `Declaration for API Users` of an account, and whether it is current. */
export function apiDeclarationOf(
  account: Pick<Account, 'apiDeclarations'>,
  now: number,
  lastDay: LastDay = 'included',
): ApiDeclaration {
  const declaration = account.apiDeclarations.at(-1);
  if (!declaration) return { state: 'none' };
  const madeOn = sydneyDay(declaration.at);
  const until = lastDayOf(madeOn, lastDay);
  const today = sydneyDay(now);
  const state = today <= until ? 'current' : 'expired';
  return { state, declaration, madeOn, until, daysLeft: daysBetween(today, until) };
}
