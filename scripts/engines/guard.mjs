// Starts processes for its parent and ends them all when the parent is gone, even by kill -9: the channel to the parent
// then closes. Engines written in other languages can not watch for that themselves. Plain JavaScript, no imports of ours.
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const dataDir = process.argv[2];
const graceMs = 4_000;
/** @type {Map<number, import('node:child_process').ChildProcess & { ledgerName?: string }>} */
const children = new Map();

function startTime(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[19];
  } catch {
    return '';
  }
}

/** What the next start must end, should this process and the parent both be killed while a child lives on. */
function writePids() {
  const pids = [...children.values()].map((child) => ({
    name: child.ledgerName,
    pid: child.pid,
    startTime: startTime(child.pid),
  }));
  mkdirSync(path.join(dataDir, 'run'), { recursive: true });
  writeFileSync(path.join(dataDir, 'run', 'pids.json'), JSON.stringify(pids));
}

function tell(message) {
  if (process.connected) process.send(message, () => undefined);
}

process.on('message', ({ id, name, command, args, env, cwd, logFile, ipc }) => {
  mkdirSync(path.dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', log, log, ...(ipc ? ['ipc'] : [])] });
  child.ledgerName = name;
  child.on('error', (error) => tell({ id, failed: error.message }));
  child.on('message', (data) => tell({ id, data }));
  child.on('exit', (code, signal) => {
    children.delete(id);
    writePids();
    tell({ id, exited: { code, signal } });
    if (!process.connected && children.size === 0) process.exit(0);
  });
  if (child.pid === undefined) return;
  children.set(id, child);
  writePids();
  tell({ id, pid: child.pid });
});

process.on('disconnect', () => {
  if (children.size === 0) process.exit(0);
  for (const child of children.values()) child.kill('SIGTERM');
  setTimeout(() => {
    for (const child of children.values()) child.kill('SIGKILL');
    process.exit(0);
  }, graceMs);
});
// Ctrl-C reaches the whole foreground group; what ends, and in which order, is the parent's decision.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
