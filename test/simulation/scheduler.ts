import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import type { Random } from './random.ts';

/** One process of the fleet: what it has in memory is lost when it dies; while frozen it does nothing. */
export class Process {
  readonly name: string;
  /** How often it gets its turn, of the times that it could: 1 or less. */
  readonly speed: number;
  state: 'running' | 'frozen' | 'dead' = 'running';

  constructor(name: string, speed = 1) {
    this.name = name;
    this.speed = speed;
  }
}

interface Step {
  /** Who goes on with it; absent for what happens in an engine or on the wire. */
  readonly owner: Process | undefined;
  readonly label: string;
  readonly run: () => void;
  /** Who sent it, when it is a request on its way: it may arrive although its sender has died. */
  readonly sentBy?: Process;
  /** As that of a process. */
  readonly speed: number;
}

interface Timer {
  readonly owner: Process | undefined;
  readonly callback: () => void;
  readonly everyMs: number | undefined;
  dueAt: number;
}

const timerShare = 0.1;
const idleTimersMax = 20;
const loopEvery = 32;
const passedOverMax = 8;
const traceMax = 9000;

// The engine's own: the scheduler's timers take the place of the global ones.
const { setImmediate: realSetImmediate } = globalThis;

/**
 * Runs everything one step at a time, in an order drawn from the seed: whatever waits for an engine, a message or a timer
 * waits here. After each step all promises settle, so that a run depends on nothing but its seed.
 */
export class Scheduler {
  readonly random: Random;
  steps = 0;
  /** Virtual epoch milliseconds. */
  now = Date.UTC(2026, 3, 23);
  /** Whose code is running: owns the timers it sets and the requests it sends. */
  current: Process | undefined;
  /** Depends on every label of the run, in order: two runs with one digest did the same. */
  digest = 0x811c9dc5;
  #ready: Step[] = [];
  #timers: Timer[] = [];
  readonly #aside = new Map<Process, Step[]>();
  readonly #trace: string[] = [];

  constructor(random: Random) {
    this.random = random;
  }

  /** Adds a step that may come next. What a dead process would do is dropped, what a frozen one would do waits. */
  ready(owner: Process | undefined, label: string, run: () => void): void {
    this.#add({ owner, label, run, speed: owner?.speed ?? 1 });
  }

  /** Adds the arrival of a request that `sentBy` sent. */
  arrives(sentBy: Process | undefined, label: string, run: () => void, speed = 1): void {
    this.#add({ owner: undefined, label, run, speed, ...(sentBy ? { sentBy } : {}) });
  }

  /** Lets one thing happen, in the time that it takes until something can. */
  async turn(): Promise<void> {
    if (this.random.chance(timerShare)) await this.#fire();
    for (let fired = 0; this.#ready.length === 0 && fired < idleTimersMax; fired++) await this.#fire();
    const step = this.#take();
    if (step) {
      this.note(step.label);
      await this.#run(step.owner, step.run);
    }
    this.steps += 1;
    this.now += 1;
    // Node looks for rejections that nobody handles when it turns.
    if (this.steps % loopEvery === 0) await new Promise((resolve) => realSetImmediate(resolve));
  }

  /** Nothing is under way; timers may run. */
  get isQuiet(): boolean {
    return this.#ready.length === 0;
  }

  freeze(process: Process): void {
    process.state = 'frozen';
    this.#aside.set(
      process,
      this.#ready.filter(({ owner }) => owner === process),
    );
    this.#ready = this.#ready.filter(({ owner }) => owner !== process);
  }

  thaw(process: Process): void {
    process.state = 'running';
    this.#ready.push(...(this.#aside.get(process) ?? []));
    this.#aside.delete(process);
  }

  /** Some of the requests that the process has sent still arrive. */
  kill(process: Process): void {
    process.state = 'dead';
    this.#aside.delete(process);
    this.#timers = this.#timers.filter(({ owner }) => owner !== process);
    this.#ready = this.#ready.filter(
      ({ owner, sentBy }) => owner !== process && (sentBy !== process || this.random.chance(0.5)),
    );
  }

  note(text: string): void {
    const line = `${this.steps} ${text}`;
    for (let i = 0; i < line.length; i++)
      this.digest = Math.imul(this.digest ^ line.charCodeAt(i), 0x01000193) >>> 0;
    this.#trace.push(line);
    if (this.#trace.length > 2 * traceMax) this.#trace.splice(0, traceMax);
  }

  /** The last steps, oldest first. */
  trace(): readonly string[] {
    return this.#trace.slice(-traceMax);
  }

  /** Puts this scheduler's timers, clock and chance in the place of the global ones; returns what puts those back. */
  install(): () => void {
    const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate } = globalThis;
    const timers = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate };
    const { now } = Date;
    const { randomBytes, randomInt } = crypto;
    const set = (repeats: boolean) => {
      return (callback: () => void, ms = 0) => this.#setTimer(callback, ms, repeats ? ms : undefined);
    };
    const clear = (timer: Timer | undefined) => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
    Object.assign(globalThis, {
      setTimeout: set(false),
      setInterval: set(true),
      setImmediate: (callback: () => void) => this.ready(this.current, 'goes on', callback),
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear,
    });
    Date.now = () => this.now;
    Object.assign(crypto, {
      randomBytes: (size: number) => Buffer.from(Array.from({ length: size }, () => this.random.below(256))),
      randomInt: (least: number, bound: number) => this.random.between(least, bound - 1),
    });
    syncBuiltinESMExports();
    return () => {
      Object.assign(globalThis, timers);
      Date.now = now;
      Object.assign(crypto, { randomBytes, randomInt });
      syncBuiltinESMExports();
    };
  }

  #add(step: Step): void {
    if (step.owner?.state === 'dead') return;
    if (step.owner?.state === 'frozen') this.#aside.get(step.owner)?.push(step);
    else this.#ready.push(step);
  }

  /** What is slow is passed over most of the time. */
  #take(): Step | undefined {
    let at = this.random.below(this.#ready.length);
    for (let tries = 0; tries < passedOverMax && this.#isPassedOver(this.#ready[at]); tries++)
      at = this.random.below(this.#ready.length);
    const step = this.#ready[at];
    const last = this.#ready.pop();
    if (last && last !== step) this.#ready[at] = last;
    return step;
  }

  #isPassedOver(step: Step | undefined): boolean {
    const speed = step?.speed ?? 1;
    return speed < 1 && !this.random.chance(speed);
  }

  #setTimer(callback: () => void, ms: number, everyMs: number | undefined): Timer {
    const timer: Timer = { owner: this.current, callback, everyMs, dueAt: this.now + ms };
    if (timer.owner?.state !== 'dead') this.#timers.push(timer);
    return timer;
  }

  /** Whatever `work` sets off has come to its end, or waits here, when this resolves. */
  async #run(owner: Process | undefined, work: () => void): Promise<void> {
    this.current = owner;
    work();
    // A tick begins when no promise has anything to do; much cheaper than a turn of the event loop.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    this.current = undefined;
  }

  async #fire(): Promise<void> {
    const timer = this.#nextTimer();
    if (!timer) return;
    const { owner, callback, everyMs } = timer;
    this.now = Math.max(this.now, timer.dueAt);
    if (everyMs === undefined) this.#timers = this.#timers.filter((other) => other !== timer);
    else timer.dueAt = this.now + Math.max(everyMs, 1);
    await this.#run(owner, callback);
  }

  #nextTimer(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers)
      if (timer.owner?.state !== 'frozen' && (!next || timer.dueAt < next.dueAt)) next = timer;
    return next;
  }
}
