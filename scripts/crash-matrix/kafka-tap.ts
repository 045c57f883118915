import { type KafkaRequest, KafkaRequests } from './kafka-requests.ts';
import type { Connection, EngineProxy } from './proxy.ts';

/** `request`: it never arrives. `answer`: it is carried out, and nobody is told. */
export type Loss = 'request' | 'answer';

interface Watch {
  readonly wanted: (request: KafkaRequest) => boolean;
  readonly loss: Loss;
  left: number;
  readonly done: () => void;
}

/** Reads along with every connection to Kafka from its beginning, and cuts it at the request that is waited for. */
export class KafkaTap {
  readonly #requests = new WeakMap<Connection, KafkaRequests>();
  readonly #answerLost = new WeakSet<Connection>();
  #watch: Watch | undefined;

  constructor(proxy: EngineProxy) {
    proxy.tap = (from, piece, connection) => {
      if (from === 'engine') return this.#answerLost.has(connection) ? 'cut' : 'pass';
      const requests = this.#requests.get(connection) ?? new KafkaRequests();
      this.#requests.set(connection, requests);
      return this.#seen(requests.read(piece), connection);
    };
  }

  /** Cuts the connection of each of the next `times` requests of a kind; resolves when that has happened. */
  cutAt(times: number, loss: Loss, wanted: Watch['wanted']): Promise<void> {
    return new Promise((done) => {
      this.#watch = { wanted, loss, left: times, done };
    });
  }

  release(): void {
    this.#watch = undefined;
  }

  #seen(begun: readonly KafkaRequest[], connection: Connection): 'pass' | 'cut' {
    const watch = this.#watch;
    if (!watch || !begun.some(watch.wanted)) return 'pass';
    watch.left -= 1;
    if (watch.left === 0) {
      this.#watch = undefined;
      watch.done();
    }
    if (watch.loss === 'request') return 'cut';
    this.#answerLost.add(connection);
    return 'pass';
  }
}
