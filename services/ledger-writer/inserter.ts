import { isRetryable } from '#shared/base/errors.ts';
import { backoffMs } from '#shared/runtime/backoff.ts';
import { Load } from '#shared/runtime/load.ts';

/** One message on its way into ClickHouse. */
export interface Item {
  readonly partition: number;
  readonly offset: number;
  readonly rows: number;
  readonly schemaId: number;
  readonly value: Buffer;
  readonly owner: ItemOwner;
}

/** Where an item came from, and whom to tell what became of it. */
export interface ItemOwner {
  /** Data refused, for this one item alone: the owner keeps it as a dead letter before it is acknowledged. */
  refused(item: Item, cause: Error): Promise<void>;
  failed(error: unknown): void;
}

export interface InserterPorts {
  /** Inserts the rows of items of one schema id as one block. */
  insert(schemaId: number, items: readonly Item[]): Promise<void>;
  isDataRefused(error: unknown): boolean;
  /** Everything of `items` is in ClickHouse or a dead letter: move watermarks, then commit. In order of arrival. */
  acknowledged(items: readonly Item[]): Promise<void>;
  waiting(error: Error, failures: number): void;
  now(): number;
}

export interface Linger {
  /** Rows of one insert from which on waiting for more gains nothing. */
  readonly insertRowsMax: number;
  /** The longest that a row waits for company when the stream is full. */
  readonly lingerMsMax: number;
  /** Rows a second at which the full linger is used. */
  readonly fullRateRows: number;
}

const queueRowsMax = 300_000;

/**
 * Collects messages of all partitions and inserts them together: the size of an insert is the biggest lever on what
 * ClickHouse costs. How long a row waits follows the load: not at all when the fleet is idle, up to `lingerMsMax` when
 * it is busy. One insert is under way at a time, so that the order of arrival is the order of acknowledgement.
 */
export class Inserter {
  readonly #ports: InserterPorts;
  readonly #linger: Linger;
  #queue: Item[] = [];
  #queuedRows = 0;
  readonly #load: Load;
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #room: (() => void)[] = [];
  #draining = false;
  /** Our own bug: nothing behind it may be acknowledged, or watermarks would pass rows that are not there (L3, L6). */
  #broken: unknown;

  constructor(ports: InserterPorts, linger: Linger) {
    this.#ports = ports;
    this.#linger = linger;
    this.#load = new Load(linger.fullRateRows);
  }

  /** Takes items over and resolves when more may come: this is the back-pressure towards Kafka. */
  async add(items: readonly Item[]): Promise<void> {
    if (this.#broken !== undefined) return tell(items, this.#broken);
    const rows = items.reduce((sum, item) => sum + item.rows, 0);
    this.#queue.push(...items);
    this.#queuedRows += rows;
    this.#load.arrived(this.#ports.now(), rows);
    if (this.#queuedRows >= this.#linger.insertRowsMax) this.#wake?.();
    this.#running ??= this.#run();
    if (this.#queuedRows > queueRowsMax) await new Promise<void>((resolve) => this.#room.push(resolve));
  }

  /** Resolves when nothing is queued or under way. */
  async settled(): Promise<void> {
    this.#wake?.();
    await this.#running;
  }

  /** From now on nothing waits for company. */
  drain(): void {
    this.#draining = true;
    this.#wake?.();
  }

  async #run(): Promise<void> {
    // Deliveries of the other partitions are often in the same turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      await this.#wait();
      const items = this.#take();
      const from = this.#ports.now();
      await this.#write(items);
      this.#load.worked(from, this.#ports.now());
    }
    this.#running = undefined;
  }

  async #wait(): Promise<void> {
    const lingerMs = this.#lingerMs();
    if (lingerMs < 1 || this.#queuedRows >= this.#linger.insertRowsMax) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, lingerMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  #lingerMs(): number {
    return this.#draining ? 0 : this.#load.waitMs(this.#ports.now(), this.#linger.lingerMsMax);
  }

  #take(): Item[] {
    let rows = 0;
    let count = 0;
    for (const item of this.#queue) {
      if (count > 0 && rows + item.rows > this.#linger.insertRowsMax) break;
      rows += item.rows;
      count += 1;
    }
    const items = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    this.#queuedRows -= rows;
    this.#makeRoom();
    return items;
  }

  #makeRoom(): void {
    const room = this.#room;
    this.#room = [];
    for (const resolve of room) resolve();
  }

  async #write(items: readonly Item[]): Promise<void> {
    try {
      const withRows = items.filter((item) => item.rows > 0);
      for (const [schemaId, group] of groupBySchema(withRows)) await this.#insert(schemaId, group);
      await this.#forever(() => this.#ports.acknowledged(items));
    } catch (error) {
      this.#break(items, error);
    }
  }

  #break(items: readonly Item[], error: unknown): void {
    this.#broken = error;
    const left = [...items, ...this.#queue];
    this.#queue = [];
    this.#queuedRows = 0;
    this.#makeRoom();
    tell(left, error);
  }

  /** L5: a refused block is halved until the offender stands alone. */
  async #insert(schemaId: number, items: readonly Item[]): Promise<void> {
    try {
      await this.#forever(() => this.#ports.insert(schemaId, items));
    } catch (error) {
      if (!this.#ports.isDataRefused(error)) throw error;
      if (items.length === 1) {
        const [offender] = items as [Item];
        await this.#forever(() => offender.owner.refused(offender, error as Error));
        return;
      }
      const middle = items.length >> 1;
      await this.#insert(schemaId, items.slice(0, middle));
      await this.#insert(schemaId, items.slice(middle));
    }
  }

  /** The world is waited for; every effect here may be repeated. */
  async #forever(effect: () => Promise<void>): Promise<void> {
    for (let failures = 0; ; failures++) {
      try {
        return await effect();
      } catch (error) {
        if (!isRetryable(error)) throw error;
        this.#ports.waiting(error as Error, failures);
        await new Promise((resolve) => setTimeout(resolve, backoffMs(failures)));
      }
    }
  }
}

function tell(items: readonly Item[], error: unknown): void {
  for (const owner of new Set(items.map((item) => item.owner))) owner.failed(error);
}

function groupBySchema(items: readonly Item[]): ReadonlyMap<number, readonly Item[]> {
  const groups = new Map<number, Item[]>();
  for (const item of items) {
    const group = groups.get(item.schemaId);
    if (group) group.push(item);
    else groups.set(item.schemaId, [item]);
  }
  return groups;
}
