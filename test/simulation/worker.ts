// A thread that runs seeds. A mutated one loads the code with a guard taken out; nothing of the project is loaded before.
import { registerHooks } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { applyEdits, type Edit, fileOf } from './mutants.ts';

const { edits } = workerData as { readonly edits: readonly Edit[] };
const mutated = new Set(edits.map(({ file }) => file));

if (mutated.size > 0)
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      const file = fileOf(url);
      if (!mutated.has(file)) return loaded;
      return { ...loaded, source: applyEdits(edits, file, String(loaded.source)) };
    },
  });

const { openCodec } = await import('./codecs.ts');
const { simulate } = await import('./simulation.ts');
const codec = await openCodec();

parentPort?.on('message', async (seed: number) => {
  parentPort?.postMessage(await simulate(seed, codec));
});
