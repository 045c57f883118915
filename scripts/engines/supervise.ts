import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface Command {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly logFile: string;
  /** The process is Node and speaks to us over a channel. */
  readonly ipc?: boolean;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A process that ends with us, whatever happens to us. */
export interface Supervised {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  readonly exited: Promise<Exit>;
  /** The first message over its channel. */
  readonly message: Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL after `graceMs`. */
  stop(graceMs: number): Promise<Exit>;
}

interface GuardMessage {
  readonly id: number;
  readonly pid?: number;
  readonly data?: unknown;
  readonly failed?: string;
  readonly exited?: Exit;
}

const guardFile = fileURLToPath(new URL('./guard.mjs', import.meta.url));

/**
 * Starts processes over one data directory. One supervisor at a time holds a directory; what an earlier one left alive
 * is ended before anything starts.
 */
export class Supervisor {
  readonly dataDir: string;
  readonly #guard: ChildProcess;
  readonly #listeners = new Map<number, (message: GuardMessage) => void>();
  readonly #live = new Set<Supervised>();
  #ids = 0;

  private constructor(dataDir: string) {
    this.dataDir = dataDir;
    // `detached`: Ctrl-C in a terminal must reach this process alone, which then stops everything in order.
    this.#guard = fork(guardFile, [dataDir], { stdio: 'ignore', detached: true });
    this.#guard.on('message', (message: GuardMessage) => this.#listeners.get(message.id)?.(message));
    this.#guard.on('exit', () => {
      for (const child of this.#live) child.kill('SIGKILL');
    });
  }

  /** @throws Error when another process holds the directory. */
  static async open(dataDir: string): Promise<Supervisor> {
    mkdirSync(path.join(dataDir, 'run'), { recursive: true });
    takeLock(dataDir);
    await endOrphans(dataDir);
    return new Supervisor(dataDir);
  }

  async spawn(command: Command): Promise<Supervised> {
    const id = ++this.#ids;
    let exit!: (exit: Exit) => void;
    let say!: (data: unknown) => void;
    const exited = new Promise<Exit>((resolve) => {
      exit = resolve;
    });
    const message = new Promise<unknown>((resolve) => {
      say = resolve;
    });
    const pid = await new Promise<number>((resolve, reject) => {
      this.#listeners.set(id, (from) => {
        if (from.pid !== undefined) resolve(from.pid);
        if (from.failed !== undefined) reject(new Error(`${command.name} does not start: ${from.failed}`));
        if (from.data !== undefined) say(from.data);
        if (from.exited) exit(from.exited);
      });
      const { name, args, env, cwd, logFile, ipc } = command;
      this.#guard.send({ id, name, command: command.command, args, env, cwd, logFile, ipc: ipc === true });
    });
    const supervised: Supervised = {
      name: command.name,
      pid,
      logFile: command.logFile,
      exited,
      message,
      kill: (signal) => sendSignal(pid, signal),
      stop: (graceMs) => stop(pid, exited, graceMs),
    };
    this.#live.add(supervised);
    void exited.then(() => this.#live.delete(supervised));
    return supervised;
  }

  /** A signal ends us, and everything started here with us: for who has nothing to stop in order. */
  endOnSignals(): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => {
        this.close();
        process.exit(130);
      });
  }

  /** To be called when everything is stopped: gives the directory back. */
  close(): void {
    this.#guard.disconnect();
    rmSync(lockFile(this.dataDir), { force: true });
  }
}

/** The end of a log, for error messages. */
export function lastLines(file: string, lines = 15): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(no log)';
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function stop(pid: number, exited: Promise<Exit>, graceMs: number): Promise<Exit> {
  sendSignal(pid, 'SIGTERM');
  const timer = setTimeout(() => sendSignal(pid, 'SIGKILL'), graceMs);
  try {
    return await exited;
  } finally {
    clearTimeout(timer);
  }
}

interface ProcessId {
  readonly pid: number;
  readonly startTime: string;
}

function lockFile(dataDir: string): string {
  return path.join(dataDir, 'run', 'lock.json');
}

function takeLock(dataDir: string): void {
  const mine = JSON.stringify({ pid: process.pid, startTime: startTime(process.pid) });
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(lockFile(dataDir), mine, { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readJson<ProcessId>(lockFile(dataDir));
    if (holder && isAlive(holder))
      throw new Error(`the data in ${dataDir} is in use by process ${holder.pid}: stop that one first`);
    rmSync(lockFile(dataDir), { force: true });
  }
  throw new Error(`the data in ${dataDir} was taken by another process just now`);
}

/** Ends what an earlier supervisor, killed together with its guard, left running. */
async function endOrphans(dataDir: string): Promise<void> {
  const file = path.join(dataDir, 'run', 'pids.json');
  const orphans = (readJson<ProcessId[]>(file) ?? []).filter(isAlive);
  for (const { pid } of orphans) sendSignal(pid, 'SIGKILL');
  for (const orphan of orphans) while (isAlive(orphan)) await delay(20);
  rmSync(file, { force: true });
}

function isAlive({ pid, startTime: known }: ProcessId): boolean {
  const now = startTime(pid);
  return now !== '' && now === known;
}

/** When a process began, in whatever the system tells; empty when there is none. Tells a process from a later one of its number. */
function startTime(pid: number): string {
  try {
    if (process.platform === 'linux') {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      return fields[0] === 'Z' ? '' : fields[19]!;
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
