import { hash, randomBytes } from 'node:crypto';

export interface NewKey {
  /** Names the key in lists and in the audit trail; part of the text, so that a person can tell keys apart. */
  readonly id: string;
  /** Shown once, kept nowhere. */
  readonly text: string;
  readonly sha256: string;
}

/** A random key of 256 bits: `slk_<id>_<secret>`, recognisable to people and to scanners for leaked secrets. */
export function newKey(): NewKey {
  const id = randomBytes(6).toString('hex');
  const text = `slk_${id}_${randomBytes(32).toString('base64url')}`;
  return { id, text, sha256: hashKey(text) };
}

/** A plain hash is enough: nobody can try 2^256 keys. */
export function hashKey(text: string): string {
  return hash('sha256', text, 'hex');
}
