// The one launcher behind every npm command. It runs on whatever Node the machine has (20 or newer), makes the
// checkout ready (packages, then engines), and hands over to the project's own Node 24, which runs TypeScript.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const bin = path.join(root, 'node_modules', '.bin');

/** Runs one set-up command with its output on standard error, so that standard output stays the caller's. */
function setUp(what, command, args) {
  process.stderr.write(`setting up: ${what} ...\n`);
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  if (result.status === 0) return;
  const detail = result.error?.message ?? `${result.stdout}\n${result.stderr}`.trim().slice(-4000);
  process.stderr.write(`setting up ${what} failed: ${command} ${args.join(' ')}\n${detail}\n`);
  process.exit(1);
}

/** A set-up step is done again only when one of its inputs changed, or its result is gone. */
function once(name, inputs, results, step) {
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(readFileSync(path.join(root, input)));
  const stamp = path.join(root, 'node_modules', `.${name}.stamp`);
  const wanted = hash.digest('hex');
  const current = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  if (current === wanted && results.every((result) => existsSync(path.join(root, result)))) return;
  step();
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

once('packages', ['package.json', 'package-lock.json'], ['node_modules/.bin/node'], () =>
  setUp('npm packages', 'npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']),
);
once(
  'engines',
  ['deploy/engines/pom.xml'],
  ['node_modules/.engines/kafka', 'node_modules/.engines/registry'],
  () => {
    // Another version's jars must not stay beside the new ones on one class path.
    rmSync(path.join(root, 'node_modules', '.engines'), { recursive: true, force: true });
    setUp('engines (Kafka, schema registry, Redis) from Maven', 'mvn', [
      '--batch-mode',
      '--quiet',
      '--file',
      path.join('deploy', 'engines', 'pom.xml'),
      'package',
    ]);
  },
);

const args = process.argv.slice(2);
const [command, rest] =
  args[0] === '--bin' ? [path.join(bin, args[1]), args.slice(2)] : [path.join(bin, 'node'), args];
const child = spawn(command, rest, {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` },
});
// Signals to the launcher are the child's business: it stops in order, and its exit becomes ours.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
// npm hands SIGTERM to the shell between us and itself, which dies of it and tells nobody: then our parent is another one.
const parent = process.ppid;
if (process.env.npm_lifecycle_event)
  setInterval(() => {
    if (process.ppid !== parent) child.kill('SIGTERM');
  }, 250).unref();
child.on('exit', (code, signal) =>
  process.exit(signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1)),
);
