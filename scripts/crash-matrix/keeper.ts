import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../demo/client.ts';
import { lastLines } from '../engines/supervise.ts';
import type { Fleet, ServiceName, ServiceProcess } from '../fleet.ts';

const againAfterMs = 200;
const upTimeoutMs = 120_000;

/**
 * Does what an orchestrator does: starts again whatever ended. A service that ends for any other reason than a SIGKILL is
 * written down: in this matrix only the world fails, and the world is waited for.
 */
export class Keeper {
  readonly #fleet: Fleet;
  readonly #watched = new Set<string>();
  readonly #down = new Set<string>();
  readonly #released = new Set<string>();
  readonly #surprises: string[] = [];
  #stopped = false;
  /** Processes that ended and were started again. */
  restarts = 0;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
    for (const { service, name } of fleet.services) this.#watch(service, name);
  }

  /** One more instance, started and kept. */
  async add(service: ServiceName, instance: number): Promise<void> {
    const { name } = await this.#fleet.startService(service, instance);
    this.#watch(service, name);
  }

  /** Stops an instance in order; nobody starts it again. */
  async remove(name: string): Promise<void> {
    this.#released.add(name);
    const { code, signal } = await this.process(name).process.stop(30_000);
    if (code !== 0) this.#surprises.push(`${name} was told to stop and ended with ${signal ?? code}`);
  }

  process(name: string): ServiceProcess {
    const found = this.#fleet.services.find((candidate) => candidate.name === name);
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  }

  /** The name of the running instance with this process number; empty when there is none. */
  nameOf(pid: number): string {
    return this.#fleet.services.find(({ process }) => process.pid === pid)?.name ?? '';
  }

  /** Resolves when every instance is up. */
  async allUp(): Promise<void> {
    const down = async () => [...this.#down];
    await until('every service is up again', down, (names) => names.length === 0, upTimeoutMs);
  }

  /** What ended by itself since the last time that somebody asked. */
  takeSurprises(): readonly string[] {
    return this.#surprises.splice(0);
  }

  stop(): void {
    this.#stopped = true;
  }

  #watch(service: ServiceName, name: string): void {
    this.#released.delete(name);
    if (this.#watched.has(name)) return;
    this.#watched.add(name);
    void this.#keep(service, name);
  }

  async #keep(service: ServiceName, name: string): Promise<void> {
    for (;;) {
      const { process } = this.process(name);
      const { code, signal } = await process.exited;
      if (this.#stopped || this.#released.has(name)) break;
      this.#down.add(name);
      if (signal !== 'SIGKILL')
        this.#surprises.push(`${name} ended with ${signal ?? code}:\n${lastLines(process.logFile, 5)}`);
      await this.#start(service, name);
      this.#down.delete(name);
      this.restarts += 1;
    }
    this.#watched.delete(name);
  }

  async #start(service: ServiceName, name: string): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#fleet.startService(service, Number(name.slice(service.length + 1)));
        return;
      } catch (error) {
        // It may have come to the next armed point before it was up.
        if (this.#stopped) return;
        const { message } = error as Error;
        if (!message.startsWith(`${name} ended with SIGKILL`)) this.#surprises.push(message);
        await delay(againAfterMs);
      }
    }
  }
}
