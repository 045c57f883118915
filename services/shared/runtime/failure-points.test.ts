import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failurePointsIn, noFailurePoint, withFailurePoints } from './failure-points.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'failure-points-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

class Engine {
  readonly #done: string[] = [];
  async write(what: string): Promise<string> {
    this.#done.push(what);
    return this.#done.join();
  }
  read(): number {
    return this.#done.length;
  }
}

describe('failure points', () => {
  it('stand before and after each effect, and change nothing of it', async () => {
    const seen: string[] = [];
    const engine = withFailurePoints(new Engine(), (name) => seen.push(name), {
      write: (what: string) => `stage.${what}`,
    });
    expect(await engine.write('rows')).toBe('rows');
    expect(engine.read()).toBe(1);
    expect(seen).toEqual(['stage.rows.before', 'stage.rows.after']);
  });

  it('are not there without a folder', () => {
    const engine = new Engine();
    expect(failurePointsIn('')).toBe(noFailurePoint);
    expect(withFailurePoints(engine, noFailurePoint, { write: 'write' })).toBe(engine);
  });

  it('end the process that comes to an armed one, and no second process', () => {
    writeFileSync(path.join(folder, 'stage.rows.after'), 'SIGKILL');
    const module = fileURLToPath(new URL('./failure-points.ts', import.meta.url));
    const script = `
      const { failurePointsIn } = await import(${JSON.stringify(module)});
      const at = failurePointsIn(${JSON.stringify(folder)});
      at('stage.rows.before');
      process.stdout.write('before ');
      at('stage.rows.after');
      process.stdout.write('after');`;
    const run = () =>
      spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    const killed = run();
    expect(killed).toMatchObject({ signal: 'SIGKILL', stdout: 'before ' });
    expect(readFileSync(path.join(folder, 'stage.rows.after.taken'), 'utf8')).toBe(String(killed.pid));
    expect(existsSync(path.join(folder, 'stage.rows.after'))).toBe(false);
    expect(run()).toMatchObject({ signal: null, status: 0, stdout: 'before after' });
    expect(new Set(readFileSync(path.join(folder, 'passed'), 'utf8').trim().split('\n'))).toEqual(
      new Set(['stage.rows.before', 'stage.rows.after']),
    );
  });
});
