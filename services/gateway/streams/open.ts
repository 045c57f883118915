import { type Refusal, RefusedError, refuse } from '#gateway/refusal.ts';

export interface OpenStreamsOptions {
  /** Streams at once, of all accounts and of one. */
  readonly openMax: number;
  readonly accountMax: number;
}

/** A place for one stream. */
export interface OpenStream {
  /** Aborted when the stream must end; its reason is a RefusedError. */
  readonly signal: AbortSignal;
  end(refusal: Refusal): void;
  /** The place is free again. */
  leave(): void;
}

interface Place {
  readonly id: string;
  readonly account: string;
  readonly controller: AbortController;
}

/** The streams that come in at this instance. A stream that comes again takes its place over: its old connection is broken. */
export class OpenStreams {
  readonly #options: OpenStreamsOptions;
  readonly #places = new Set<Place>();
  #stopping: Refusal | undefined;

  constructor(options: OpenStreamsOptions) {
    this.#options = options;
  }

  has(id: string): boolean {
    return this.#find(id) !== undefined;
  }

  enter(id: string, account: string): OpenStream | Refusal {
    if (this.#stopping) return this.#stopping;
    const before = this.#find(id);
    if (before) this.#end(before, refuse('stream_taken_over'));
    else {
      const { openMax, accountMax } = this.#options;
      const own = [...this.#places].filter((place) => place.account === account).length;
      if (own >= accountMax) return refuse('uploads_too_many', undefined, { limit: accountMax });
      if (this.#places.size >= openMax) return refuse('overloaded');
    }
    const place = { id, account, controller: new AbortController() };
    this.#places.add(place);
    return {
      signal: place.controller.signal,
      end: (refusal) => place.controller.abort(new RefusedError(refusal)),
      leave: () => this.#places.delete(place),
    };
  }

  /** Every stream ends with what was committed; no new one begins. */
  stop(): void {
    this.#stopping = refuse('temporarily_unavailable', 'this instance is stopping');
    for (const place of [...this.#places]) this.#end(place, this.#stopping);
  }

  #find(id: string): Place | undefined {
    return [...this.#places].find((place) => place.id === id);
  }

  #end(place: Place, refusal: Refusal): void {
    this.#places.delete(place);
    place.controller.abort(new RefusedError(refusal));
  }
}
