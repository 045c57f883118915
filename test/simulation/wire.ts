import type { Process, Scheduler } from './scheduler.ts';
import type { Weather } from './weather.ts';

export type Engine = 'Kafka' | 'Redis' | 'ClickHouse';

export interface Request<T> {
  readonly to: Engine;
  readonly label: string;
  /** Takes effect in the engine; what it throws is the answer. */
  execute(): T | Promise<T>;
  /** What the sender is told when the request or its answer is lost. */
  unanswered(): Error;
  /** The client sends it again by itself when the connection breaks, and gives the second answer. */
  readonly resent?: boolean;
  /** It cannot take effect after its sender was told that it failed. */
  readonly fenced?: boolean;
}

/**
 * Between processes and engines: a request arrives, takes effect, and its answer comes back, each a step of its own. It may
 * be lost before it takes effect or after, arrive long after its sender gave up or died, or arrive twice.
 */
export class Wire {
  readonly #scheduler: Scheduler;
  readonly #weather: Weather;
  readonly #speeds: Readonly<Record<Engine, number>>;

  constructor(scheduler: Scheduler, weather: Weather) {
    this.#scheduler = scheduler;
    this.#weather = weather;
    const { random } = scheduler;
    this.#speeds = {
      Kafka: random.pick(speeds),
      Redis: random.pick(speeds),
      ClickHouse: random.pick(speeds),
    };
  }

  call<T>(request: Request<T>): Promise<T> {
    const sender = this.#scheduler.current;
    return new Promise((resolve, reject) => {
      this.#arrive({
        request,
        sender,
        succeed: (result) => this.#answer(sender, `${request.label} answered`, () => resolve(result)),
        fail: (error) => this.#answer(sender, `${request.label} fails`, () => reject(error)),
      });
    });
  }

  #arrive<T>(call: Call<T>): void {
    const { label, to } = call.request;
    const handle = () => this.#handle(call);
    this.#scheduler.arrives(call.sender, `${label} of ${nameOf(call.sender)}`, handle, this.#speeds[to]);
  }

  #handle<T>(call: Call<T>): void {
    const { request, succeed, fail } = call;
    if (this.#weather.strikes('request lost')) fail(request.unanswered());
    else if (this.#weather.strikes('answer lost')) this.#execute(call, () => fail(request.unanswered()));
    else if (!request.fenced && this.#weather.strikes('request late')) {
      fail(request.unanswered());
      this.#comeLate(call);
    } else if (request.resent && this.#weather.strikes('request sent twice'))
      this.#execute(call, () => this.#arrive(call));
    else this.#execute(call, succeed, fail);
  }

  /** Some arrive after a few steps, some after everybody has forgotten them. */
  #comeLate<T>(call: Call<T>): void {
    const { random } = this.#scheduler;
    const patience = random.pick(latePatience);
    const wait = (): void => {
      if (random.chance(patience)) this.#scheduler.arrives(undefined, 'something is late', wait);
      else {
        this.#scheduler.note(`late: ${call.request.label} of ${nameOf(call.sender)}`);
        this.#execute(call, () => {});
      }
    };
    this.#scheduler.arrives(undefined, 'something is late', wait);
  }

  #execute<T>(
    { request }: Call<T>,
    succeeded: (result: T) => void,
    failed: (error: unknown) => void = succeeded as () => void,
  ): void {
    void Promise.resolve()
      .then(() => request.execute())
      .then(succeeded, failed);
  }

  #answer(sender: Process | undefined, label: string, deliver: () => void): void {
    this.#scheduler.ready(sender, `${nameOf(sender)}: ${label}`, deliver);
  }
}

/** Of engines; one that is slow lets work pile up before it. */
const speeds = [1, 1, 0.3, 0.05] as const;

/** Chance of waiting once more, each time. */
const latePatience = [0.3, 0.9, 0.98] as const;

interface Call<T> {
  readonly request: Request<T>;
  readonly sender: Process | undefined;
  readonly succeed: (result: T) => void;
  readonly fail: (error: unknown) => void;
}

function nameOf(process: Process | undefined): string {
  return process?.name ?? 'somebody';
}
