import { spawn } from 'node:child_process';
import path from 'node:path';
import { type EngineUrls, urlEnv } from './engines/engines.ts';
import { root } from './engines/local.ts';

export interface ScriptRun {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A tool as an operator runs it, on these engines. Resolves when it has ended, whatever with. */
export async function runScript(
  urls: EngineUrls,
  script: string,
  ...args: readonly string[]
): Promise<ScriptRun> {
  const child = spawn(process.execPath, [path.join(root, 'scripts', `${script}.ts`), ...args], {
    cwd: root,
    env: { ...process.env, ...urlEnv(urls) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  // Not at its exit: what it said last may come after that.
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out, err };
}
