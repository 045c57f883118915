/**
 * Joins parts into one key that no other list of parts can produce: each part carries its length.
 * `joinKey('a', 'b-c')` and `joinKey('a-b', 'c')` differ, whatever characters the parts hold.
 */
export function joinKey(...parts: readonly string[]): string {
  let key = '';
  for (const part of parts) key += `${part.length}:${part}`;
  return key;
}
