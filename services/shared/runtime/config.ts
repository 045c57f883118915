import { withoutCredentials } from '#shared/base/urls.ts';

/**
 * Configuration from the environment: read once, every fault reported together, frozen. A setting is declared with
 * what it is for, so that `--check-config` can print all of it.
 */
export interface Setting<T> {
  readonly env: string;
  readonly about: string;
  readonly parse: (text: string) => T;
  readonly fallback?: T;
  readonly secret?: boolean;
}

export type Settings = Readonly<Record<string, Setting<unknown>>>;
export type Config<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

export function text(env: string, about: string, fallback?: string): Setting<string> {
  const parse = (value: string) => value;
  return fallback === undefined ? { env, about, parse } : { env, about, parse, fallback };
}

export function secret(env: string, about: string, fallback?: string): Setting<string> {
  return { ...text(env, about, fallback), secret: true };
}

/** A whole number from `least` to `most`, both included. */
export function whole(
  env: string,
  about: string,
  range: { least: number; most: number; fallback: number },
): Setting<number> {
  return {
    env,
    about: `${about} (${range.least} to ${range.most})`,
    fallback: range.fallback,
    parse(value) {
      // `Number` alone takes a space for 0, and 0x10 for 16.
      const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
      if (!(number >= range.least && number <= range.most))
        throw new Error(`must be a whole number from ${range.least} to ${range.most}`);
      return number;
    },
  };
}

export function choice<const T extends string>(
  env: string,
  about: string,
  kinds: readonly T[],
  fallback: T,
): Setting<T> {
  return {
    env,
    about: `${about} (${kinds.join(', ')})`,
    fallback,
    parse(value) {
      const kind = kinds.find((candidate) => candidate === value);
      if (!kind) throw new Error(`must be one of ${kinds.join(', ')}`);
      return kind;
    },
  };
}

/** The configuration, or every fault found. */
export function readConfig<S extends Settings>(
  settings: S,
  env: Readonly<Record<string, string | undefined>>,
): { readonly config: Config<S> } | { readonly faults: readonly string[] } {
  const values: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [key, setting] of Object.entries(settings)) {
    const value = env[setting.env];
    if (value === undefined || value === '') {
      if (setting.fallback === undefined) faults.push(`${setting.env} is missing: ${setting.about}`);
      values[key] = setting.fallback;
      continue;
    }
    try {
      values[key] = setting.parse(value);
    } catch (error) {
      faults.push(`${setting.env} ${(error as Error).message}: ${setting.about}`);
    }
  }
  return faults.length > 0 ? { faults } : { config: Object.freeze(values) as Config<S> };
}

/** What `--check-config` prints: each setting with its value, secrets and passwords in addresses masked. */
export function describeConfig<S extends Settings>(settings: S, config: Config<S>): string {
  return Object.entries(settings)
    .map(([key, setting]) => {
      const value = config[key as keyof S];
      return `${setting.env}=${setting.secret && value !== '' ? '***' : withoutCredentials(String(value))}  # ${setting.about}`;
    })
    .join('\n');
}
