import type { Identity } from './book.ts';

/** Who did something, for the log: the user, or the key where the key is nobody's in particular. */
export function actorOf({ user, key }: Pick<Identity, 'user' | 'key'>): string {
  return user === undefined ? `key:${key}` : `user:${user}`;
}
