import { sydneyDay } from '#shared/domain/days.ts';
import type { AccountEvent, KeyUseChange } from './events.ts';

/** The last Sydney day on which a key was used, as far as the log says. */
export interface KeyUse {
  readonly key: string;
  readonly day: string;
  readonly version: number;
}

const prefix = 'key-use:';

/** Names the use of a key in the log: events of use have versions of their own, and never overtake a command. */
export function keyUseName(key: string): string {
  return `${prefix}${key}`;
}

export function isKeyUse(name: string): boolean {
  return name.startsWith(prefix);
}

/** As `applyEvent` of accounts. */
export function applyKeyUse(use: KeyUse | undefined, event: AccountEvent): KeyUse | undefined {
  if (event.version !== (use?.version ?? 0)) return undefined;
  const version = event.version + 1;
  if (event.kind !== 'key_used') return use && { ...use, version };
  const { key, day } = JSON.parse(event.data) as KeyUseChange['data'];
  return { key, day, version };
}

/**
 * Sees to it that the first use of a key on a Sydney day is written down: one event a day and key, however often it is
 * used; of several instances that see it first, one wins. An event that can not be written is tried again with the next use.
 */
export class KeyUseRecorder {
  readonly #lastDay: (key: string) => string | undefined;
  readonly #write: (change: KeyUseChange) => Promise<unknown>;
  readonly #writing = new Set<string>();

  constructor(
    lastDay: (key: string) => string | undefined,
    write: (change: KeyUseChange) => Promise<unknown>,
  ) {
    this.#lastDay = lastDay;
    this.#write = write;
  }

  /** Returns at once; rejects nobody's request. `failed` is told when the event was not written. */
  used(key: string, now: number, failed: (error: unknown) => void): void {
    const day = sydneyDay(now);
    if ((this.#lastDay(key) ?? '') >= day || this.#writing.has(key)) return;
    this.#writing.add(key);
    this.#write({ kind: 'key_used', data: { key, day } })
      .catch(failed)
      .finally(() => this.#writing.delete(key));
  }
}
