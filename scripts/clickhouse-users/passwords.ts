import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Passwords } from './render.ts';
import type { UserPlan } from './users.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Beside the data of local engines. */
export const usersFileName = 'clickhouse-users.json';

/** Passwords that were given, and those that a file keeps; users that have neither are missing. */
export function knownPasswords(users: readonly UserPlan[], env: Env, file: string): Passwords {
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {};
  return new Map(
    users.flatMap(({ name, passwordEnv }) => {
      const password = env[passwordEnv] || kept[name];
      return password ? [[name, password] as const] : [];
    }),
  );
}

/** A password for every user: those known, and new ones, which are kept in a file that only its owner may read. */
export function madePasswords(users: readonly UserPlan[], env: Env, file: string): Passwords {
  const known = knownPasswords(users, env, file);
  const missing = users.filter(({ name }) => !known.has(name));
  if (missing.length === 0) return known;
  const made = missing.map(({ name }) => [name, randomBytes(24).toString('base64url')] as const);
  const all = new Map([...known, ...made]);
  const given = new Set(users.filter(({ passwordEnv }) => env[passwordEnv]).map(({ name }) => name));
  mkdirSync(path.dirname(file), { recursive: true });
  const kept = Object.fromEntries([...all].filter(([name]) => !given.has(name)));
  writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
  return all;
}
