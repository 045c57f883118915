import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { until } from '../demo/client.ts';

/** Arms failure points of running services, and knows who came to them. */
export class Points {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** The next process that comes to this point sends itself the signal, once. */
  arm(name: string, signal: NodeJS.Signals): void {
    rmSync(this.#taken(name), { force: true });
    const file = path.join(this.folder, name);
    // Under another name first: nobody may take it while it is empty.
    writeFileSync(`${file}.new`, signal);
    renameSync(`${file}.new`, file);
  }

  disarm(name: string): void {
    rmSync(path.join(this.folder, name), { force: true });
  }

  /** Resolves with the process that came to the point. */
  async taken(name: string, timeoutMs: number): Promise<number> {
    const pid = () => Number(existsSync(this.#taken(name)) && readFileSync(this.#taken(name), 'utf8'));
    const taken = async () => pid();
    return until(`${name}: some process comes to it`, taken, (found) => found > 0, timeoutMs);
  }

  /** Every point that some process came by so far. */
  passed(): ReadonlySet<string> {
    const file = path.join(this.folder, 'passed');
    return new Set(existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []);
  }

  /** Points that some process came by, and that were never armed. */
  untried(): readonly string[] {
    return [...this.passed()].filter((name) => name !== '' && !existsSync(this.#taken(name)));
  }

  #taken(name: string): string {
    return path.join(this.folder, `${name}.taken`);
  }
}
