import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from './config.ts';

export const failurePointsSetting = text(
  'FAILURE_POINTS',
  'folder by which the crash matrix ends this process at a named point; empty in production',
  '',
);

/** Says that a process is at a named place, `stage.effect.before` or `stage.effect.after`. */
export type FailurePoint = (name: string) => void;

export const noFailurePoint: FailurePoint = () => undefined;

/**
 * A file in `folder` arms the point of its name, and holds a signal. The process that takes the file away, and no other, sends
 * itself the signal on the spot; its number stands in `NAME.taken` then. The file `passed` names every point that some process came by.
 */
export function failurePointsIn(folder: string): FailurePoint {
  if (folder === '') return noFailurePoint;
  const passed = new Set<string>();
  return (name) => {
    if (!passed.has(name)) appendFileSync(path.join(folder, 'passed'), `${name}\n`);
    passed.add(name);
    const taken = path.join(folder, `${name}.taken`);
    try {
      renameSync(path.join(folder, name), taken);
    } catch {
      return;
    }
    const signal = readFileSync(taken, 'utf8') as NodeJS.Signals;
    writeFileSync(taken, String(process.pid));
    process.kill(process.pid, signal);
  };
}

/** Gives an effect its name, by its arguments where one method has several effects. */
// biome-ignore lint/suspicious/noExplicitAny: the arguments of whatever method it is
type EffectName = string | ((...args: any[]) => string);

/** `target`, with a point before and one after each of these effects. The same object when there are no points. */
export function withFailurePoints<T extends object>(
  target: T,
  at: FailurePoint,
  effects: { readonly [method in keyof T]?: EffectName },
): T {
  if (at === noFailurePoint) return target;
  return new Proxy(target, {
    get(of, method) {
      const value: unknown = Reflect.get(of, method, of);
      if (typeof value !== 'function') return value;
      const effect = effects[method as keyof T];
      if (effect === undefined) return value.bind(of);
      return async (...args: unknown[]) => {
        const name = typeof effect === 'string' ? effect : effect(...args);
        at(`${name}.before`);
        const result: unknown = await value.apply(of, args);
        at(`${name}.after`);
        return result;
      };
    },
  });
}
