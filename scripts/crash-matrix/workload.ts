import { setTimeout as delay } from 'node:timers/promises';
import { sydneyDay } from '#shared/domain/days.ts';
import { Random } from '#test/simulation/random.ts';
import { quotedCell } from '../csv-cell.ts';
import { until } from '../demo/client.ts';
import { type ListedModel, panelHeadings, panelRow } from '../demo/planted.ts';
import { inverterFile, listedInverter, solarClaim } from '../demo/solar-claim.ts';
import { hitTimeoutMs } from './fault.ts';
import { GatewayCaller } from './gateway-caller.ts';
import type { Actor, Rig } from './rig.ts';

export interface WorkloadOptions {
  readonly rig: Rig;
  readonly seed: number;
  /** Begins every serial and every address of this workload. */
  readonly prefix: string;
  /** Rows that are sent at least, whatever happens meanwhile. */
  readonly rows: number;
  /** Serials of faults before: they meet rows of this one. */
  readonly older: readonly string[];
}

/** What was answered with 202. */
export interface Accepted {
  readonly submissions: ReadonlyMap<string, number>;
  readonly claims: ReadonlySet<string>;
  /** Requests that had to be sent more than once. */
  readonly repeated: number;
}

const fileRows = 250;
const trickleRows = 40;
const tricklePauseMs = 150;
const claimSerials = 40;
const places = 16;
const claimsMax = 40;
const refusedRows = 12;
const dayMs = 86_400_000;
/** A serial of more characters than a cell may have. */
const tooLong = 'X'.repeat(101);

/**
 * Files of two suppliers over the same serials, so that rows meet: repeated, in conflict, marked invalid, registered again, of
 * models that are not listed, damaged; and claims over some of the serials, some of them withdrawn. What a sender's n-th file
 * holds depends on the seed alone; in which order files meet, and how many there are, on what happens to the fleet.
 */
export class Workload {
  readonly #options: WorkloadOptions;
  readonly #caller: GatewayCaller;
  readonly #models: readonly [ListedModel, ListedModel];
  readonly #submissions = new Map<string, number>();
  readonly #claims = new Set<string>();
  readonly #today: string;
  readonly #installed: string;
  #sent = 0;
  #files = 0;
  #refusedSerials = 0;
  #released = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: WorkloadOptions) {
    this.#options = options;
    this.#caller = new GatewayCaller(() => options.rig.gatewayUrl);
    this.#today = sydneyDay(Date.now());
    this.#installed = sydneyDay(Date.now() - 30 * dayMs);
    const current = options.rig.models.filter(
      ({ approved, expires }) => approved <= this.#installed && expires >= this.#today,
    );
    const first = current[0]!;
    this.#models = [first, current.find(({ holder }) => holder !== first.holder)!];
  }

  /** Serials that a later workload may meet again. */
  get serials(): readonly string[] {
    return Array.from({ length: 50 }, (_, i) => this.#serial(i));
  }

  /** Resolves when there is something to work on; the rest is sent meanwhile, until `finish`. */
  async begin(): Promise<void> {
    await Promise.all([this.#registerInverters(), this.#registerClaimed()]);
    const { seed } = this.#options;
    const senders = [
      this.#uploading(new Random(seed + 1)),
      this.#uploading(new Random(seed + 2)),
      this.#invalidating(new Random(seed + 3)),
      this.#claiming(new Random(seed + 4)),
    ];
    this.#running = Promise.all(senders);
    this.#running.catch(() => undefined);
  }

  /** Sends what is left, and resolves when everything that was sent is answered. */
  async finish(): Promise<Accepted> {
    this.#released = true;
    await this.#running;
    return {
      submissions: this.#submissions,
      claims: this.#claims,
      repeated: this.#caller.repeated,
    };
  }

  /** Resolves when another file was accepted: the fleet has something new to do. */
  async moved(): Promise<void> {
    const before = this.#submissions.size;
    const now = async () => this.#submissions.size;
    await until('another file is accepted', now, (size) => size > before, hitTimeoutMs);
  }

  /** A file with rows that ClickHouse is made to refuse, in every partition. */
  async sendRefused(): Promise<void> {
    const supplier = this.#options.rig.cast.suppliers[0]!;
    const { holder, model } = this.#models[0];
    const { prefix } = this.#options;
    const lines = Array.from({ length: refusedRows }, () => {
      const serial = `REFUSED${prefix}${String(this.#refusedSerials++).padStart(6, '0')}`;
      return panelRow(supplier.name, { holder, model }, serial);
    });
    await this.#upload(supplier, `${panelHeadings}\n${lines.join('\n')}\n`, 'panel');
  }

  /** Rejects when a client got no answer at all. */
  get failed(): Promise<never> {
    return this.#running.then(() => new Promise<never>(() => undefined));
  }

  get #more(): boolean {
    return this.#sent < this.#options.rows || !this.#released;
  }

  /** At full rate up to the rows that are wanted, then a trickle for as long as the fault lasts. */
  async #pace(): Promise<number> {
    if (this.#sent < this.#options.rows) return fileRows;
    await delay(tricklePauseMs);
    return trickleRows;
  }

  async #uploading(random: Random): Promise<void> {
    while (this.#more) {
      const rows = await this.#pace();
      this.#sent += rows;
      const supplier = random.pick(this.#options.rig.cast.suppliers);
      await this.#upload(supplier, this.#panelFile(random, supplier, rows), 'panel');
    }
  }

  async #upload(actor: Actor, csv: string, product: string, action = 'register'): Promise<void> {
    const key = `${this.#options.prefix}-${++this.#files}`;
    const path = `/v1/submissions?product=${product}&action=${action}&declaration=file-upload-1`;
    const { status, body } = await this.#caller.post(actor, path, key, { type: 'text/csv', body: csv });
    if (status !== 202) throw new Error(`a file was answered ${status}: ${JSON.stringify(body)}`);
    this.#submissions.set(body.id!, csv.trimEnd().split('\n').length - 1);
  }

  #panelFile(random: Random, supplier: Actor, rows: number): string {
    const lines = Array.from({ length: rows }, () => {
      const { holder, model } = random.chance(0.85) ? this.#models[0] : this.#models[1];
      const listed = random.chance(0.97) ? model : `NOT-A-MODEL-${random.below(9)}`;
      return panelRow(supplier.name, { holder, model: listed }, this.#anySerial(random));
    });
    return `${panelHeadings}\n${lines.join('\n')}\n`;
  }

  /** New ones, ones that were sent before, ones of faults before, and now and then one that is none. */
  #anySerial(random: Random): string {
    const { older, rows } = this.#options;
    if (random.chance(0.01)) return tooLong;
    if (older.length > 0 && random.chance(0.05)) return random.pick(older);
    return this.#serial(random.below(rows / 2));
  }

  #serial(i: number): string {
    return `${this.#options.prefix}${String(i).padStart(6, '0')}`;
  }

  async #invalidating(random: Random): Promise<void> {
    while (this.#more) {
      await delay(tricklePauseMs);
      const supplier = random.pick(this.#options.rig.cast.suppliers);
      const lines = Array.from({ length: 2 * trickleRows }, () => {
        const { holder, model } = random.chance(0.85) ? this.#models[0] : this.#models[1];
        const serial = random.chance(0.05)
          ? this.#claimed(random.below(claimSerials))
          : this.#anySerial(random);
        return [supplier.name, holder, model, serial, 'Serial number is wrong'].map(quotedCell).join(',');
      });
      this.#sent += lines.length;
      await this.#upload(supplier, `${panelHeadings},Reason\n${lines.join('\n')}\n`, 'panel', 'invalidate');
    }
  }

  #claimed(i: number): string {
    return `${this.#options.prefix}CL${String(i).padStart(4, '0')}`;
  }

  #inverter(place: number): string {
    return `${this.#options.prefix}IN${String(place).padStart(4, '0')}`;
  }

  async #registerClaimed(): Promise<void> {
    const supplier = this.#options.rig.cast.suppliers[0]!;
    const lines = Array.from({ length: claimSerials }, (_, i) =>
      panelRow(supplier.name, this.#models[0], this.#claimed(i)),
    );
    await this.#upload(supplier, `${panelHeadings}\n${lines.join('\n')}\n`, 'panel');
  }

  async #registerInverters(): Promise<void> {
    const { inverters } = this.#options.rig.cast;
    const serials = Array.from({ length: places }, (_, place) => this.#inverter(place));
    await this.#upload(inverters, inverterFile(serials), 'inverter');
  }

  /** Few serials and few places: claims meet. Some are withdrawn, which frees their serials. */
  async #claiming(random: Random): Promise<void> {
    const { rig, prefix } = this.#options;
    const made: string[] = [];
    for (let number = 0; (this.#more || number < places) && number < claimsMax; number++) {
      const claim = made.length > 0 && random.chance(0.2) ? random.pick(made) : undefined;
      const path = claim === undefined ? '/v1/claims' : `/v1/claims/${claim}/withdrawal`;
      const body = claim === undefined ? this.#claim(random) : { reason: 'claimed by mistake' };
      const content = { type: 'application/json', body: JSON.stringify(body) };
      const answered = await this.#caller.post(rig.cast.agent, path, `${prefix}-claim-${number}`, content);
      if (answered.status === 202 && answered.body.id) {
        made.push(answered.body.id);
        this.#claims.add(answered.body.id);
        // A withdrawal that comes before its claim is decided, or twice, is refused: that is an answer.
      } else if (answered.status !== 202 && claim === undefined)
        throw new Error(`a claim was answered ${answered.status}: ${JSON.stringify(answered.body)}`);
      if (number >= places) await delay(tricklePauseMs);
    }
  }

  #claim(random: Random): object {
    const { prefix } = this.#options;
    const place = random.below(places);
    const { holder, model } = this.#models[0];
    const serials = [
      ...new Set(
        Array.from({ length: random.between(1, 3) }, () => this.#claimed(random.below(claimSerials))),
      ),
    ];
    return solarClaim({
      installed: this.#installed,
      assigned: this.#today,
      address: `${place} ${prefix} Street`,
      panels: { holder, model, serials },
      inverters: { ...listedInverter, serials: [this.#inverter(place)] },
    });
  }
}
