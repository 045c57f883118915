import type { CallOptions } from './client.ts';

/** Beyond so many keys there is work for more than one thread. */
const keysOfOneThread = 200;

/** A few keys are found sooner by one thread than by several that have to be told; and many may ask at once. */
export function lookUpSettings(keys: number): NonNullable<CallOptions['settings']> {
  return keys <= keysOfOneThread ? { max_threads: 1 } : {};
}
