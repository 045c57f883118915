import type { Account } from '#gateway/accounts/account.ts';
import type { AccountBook } from '#gateway/accounts/book.ts';
import type { AccountChange } from '#gateway/accounts/events.ts';
import type { Refusal } from '#gateway/refusal.ts';

/** What a command may look at besides its account. */
export interface Surroundings {
  readonly book: Pick<AccountBook, 'get' | 'user' | 'accounts'>;
  readonly now: number;
}

/** A command on an account: the event that it makes, why it is refused, or nothing when all is so already. */
export type Command = (account: Account, surroundings: Surroundings) => AccountChange | Refusal | undefined;
