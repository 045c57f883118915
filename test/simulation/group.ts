import type { Random } from './random.ts';
import type { Process, Scheduler } from './scheduler.ts';

/** What is stored for a partition: where to read on, and a note beside it. */
export interface Position {
  readonly offset: number;
  readonly metadata: string;
}

/** A consumer as its group sees it. */
export interface Member {
  readonly process: Process;
  /** Learns the group's present assignment and works by it from now on. */
  adopt(generation: number, partitions: readonly number[]): void;
}

/**
 * A consumer group. Members learn of a new assignment in their own time: until then they go on with what they had, as a
 * zombie does. Only commits of the present generation count.
 */
export class Group {
  generation = 0;
  readonly committed = new Map<number, Position>();
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #partitions: number;
  readonly #members = new Set<Member>();
  #assignment = new Map<Member, readonly number[]>();

  constructor(scheduler: Scheduler, partitions: number) {
    this.#scheduler = scheduler;
    this.#random = scheduler.random;
    this.#partitions = partitions;
  }

  join(member: Member): void {
    this.#members.add(member);
    this.rebalance();
  }

  leave(member: Member): void {
    if (this.#members.delete(member)) this.rebalance();
  }

  /** The member has not been heard of: it is put out of the group, at some time. */
  missing(member: Member): void {
    this.#scheduler.ready(undefined, `session of ${member.process.name} ends`, () => {
      if (member.process.state !== 'running') this.leave(member);
    });
  }

  has(member: Member): boolean {
    return this.#members.has(member);
  }

  rebalance(): void {
    this.generation += 1;
    const members = [...this.#members];
    this.#assignment = new Map(members.map((member) => [member, []]));
    for (let partition = 0; partition < this.#partitions && members.length > 0; partition++) {
      const member = this.#random.pick(members);
      this.#assignment.set(member, [...this.#assignment.get(member)!, partition]);
    }
    for (const member of members) this.#tell(member, this.generation);
  }

  #tell(member: Member, generation: number): void {
    this.#scheduler.ready(member.process, `${member.process.name} hears of generation ${generation}`, () => {
      if (generation !== this.generation || !this.#members.has(member)) return;
      if (this.#random.chance(0.5)) return this.#tell(member, generation);
      member.adopt(generation, this.#assignment.get(member) ?? []);
    });
  }
}
