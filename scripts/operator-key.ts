import { hash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface OperatorKey {
  /** Told to the gateway, which makes the first operator when there is none yet. */
  readonly sha256: string;
  /** The key itself, until it was shown; undefined afterwards. */
  readonly unshown: string | undefined;
  /** Forgets the key: from now on only its hash is kept. To be called once the key was shown. */
  shown(): void;
}

/**
 * The key of the first operator: made at the first start, shown once. Until it was shown it lies in a file that only
 * its owner can read, so that a start that dies half-way does not lock everybody out.
 */
export function operatorKey(dataDir: string): OperatorKey {
  const keyFile = path.join(dataDir, 'operator.key');
  const hashFile = path.join(dataDir, 'operator.sha256');
  mkdirSync(dataDir, { recursive: true });
  if (!existsSync(hashFile) && !existsSync(keyFile))
    writeFileSync(keyFile, `slk_operator_${randomBytes(32).toString('base64url')}`, { mode: 0o600 });
  const unshown = existsSync(keyFile) ? readFileSync(keyFile, 'utf8') : undefined;
  const sha256 =
    unshown === undefined ? readFileSync(hashFile, 'utf8').trim() : hash('sha256', unshown, 'hex');
  return {
    sha256,
    unshown,
    shown() {
      writeFileSync(hashFile, `${sha256}\n`);
      rmSync(keyFile, { force: true });
    },
  };
}
