import { type Refusal, refuse } from '#gateway/refusal.ts';

export interface UploadGateOptions {
  /** Uploads open at once, of all accounts and of one. */
  readonly openMax: number;
  readonly accountMax: number;
  /** Bytes that the bodies of all of them may take; one account may have half of it. */
  readonly bytesMax: number;
}

interface Held {
  readonly uploads: number;
  readonly bytes: number;
}

const nothing: Held = { uploads: 0, bytes: 0 };

/**
 * Bounds the memory that the bodies of uploads take together, and leaves places for others whatever one account does. Each
 * is counted by the bytes that it says it has, or by as many as it may have.
 */
export class UploadGate {
  readonly #options: UploadGateOptions;
  readonly #accounts = new Map<string, Held>();
  #all: Held = nothing;

  constructor(options: UploadGateOptions) {
    this.#options = options;
  }

  /** Gives back the place. */
  enter(account: string, bytes: number): (() => void) | Refusal {
    const { openMax, accountMax, bytesMax } = this.#options;
    const own = this.#accounts.get(account) ?? nothing;
    if (own.uploads >= accountMax) return refuse('uploads_too_many', undefined, { limit: accountMax });
    if (own.uploads > 0 && own.bytes + bytes > bytesMax / 2)
      return refuse('uploads_too_many', `together they may have ${bytesMax / 2} bytes`, {
        limit: own.uploads,
      });
    if (this.#all.uploads >= openMax || (this.#all.uploads > 0 && this.#all.bytes + bytes > bytesMax))
      return refuse('overloaded');
    this.#count(account, 1, bytes);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#count(account, -1, -bytes);
    };
  }

  #count(account: string, uploads: number, bytes: number): void {
    const more = (held: Held) => ({ uploads: held.uploads + uploads, bytes: held.bytes + bytes });
    this.#all = more(this.#all);
    const own = more(this.#accounts.get(account) ?? nothing);
    if (own.uploads === 0) this.#accounts.delete(account);
    else this.#accounts.set(account, own);
  }
}
