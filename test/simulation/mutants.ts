import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** One place in the code, and what stands there instead. */
export interface Edit {
  /** Relative to the root of the project. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** The project's code with one guard taken out: the simulation must find what it guards against. */
export interface Mutant {
  readonly guard: string;
  readonly edits: readonly Edit[];
}

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

const listing = 'services/cec-validation/partition.ts';
const dedup = 'services/dedup/partition.ts';
const writer = 'services/ledger-writer/partition.ts';
const store = 'services/shared/runtime/memory-state-store.ts';

const noStandIn: Edit = {
  file: listing,
  find: 'else results.push(await this.#dead(message, placed));',
  replace: 'else await this.#dead(message, placed);',
};

export const mutants: readonly Mutant[] = [
  {
    guard: 'V1: no stand-in for a dead letter',
    edits: [noStandIn],
  },
  {
    guard: 'V1: no stand-in, and links pass over what is missing',
    edits: [
      noStandIn,
      {
        file: listing,
        find: 'previous = message.offset;\n      if (batch && headers)',
        replace: 'if (batch && headers) previous = message.offset;\n      if (batch && headers)',
      },
    ],
  },
  {
    guard: 'K1: cec-validation stores its position before the acknowledgement',
    edits: [
      {
        file: listing,
        find: 'await this.#ports.publish(results);',
        replace:
          'this.#control.commit(incoming.at(-1)!.message.offset + 1, 0);\n    await this.#ports.publish(results);',
      },
    ],
  },
  {
    guard: 'D2: a replay is decided again',
    edits: [{ file: dedup, find: 'if (origin <= position) {', replace: 'if (origin < -1) {' }],
  },
  {
    guard: 'D3: copies are not recognised',
    edits: [
      {
        file: 'services/dedup/decider.ts',
        find: 'if (score !== undefined && score >= this.#windowStart) {',
        replace: 'if (score !== undefined && score < 0) {',
      },
    ],
  },
  {
    guard: 'D4: reading does not compare the expected position',
    edits: [
      {
        file: store,
        find: "if (state.position !== expected) return 'moved';\n    return reads",
        replace: 'return reads',
      },
      {
        file: store,
        find: "if (state.position !== expected) return 'moved';\n    if (state.journal",
        replace: 'if (state.journal',
      },
    ],
  },
  {
    guard: 'D4: whatever was fetched is handled',
    edits: [
      {
        file: 'services/shared/runtime/gate.ts',
        find: 'return fetchedOffset === this.#next;',
        replace: 'return fetchedOffset >= 0;',
      },
    ],
  },
  {
    guard: 'D4: dedup handles whatever was fetched',
    edits: [
      {
        file: 'services/shared/adapters/kafka/consumer.ts',
        find: 'if (!gate.admits(fetchedOffset))',
        replace: "if (!gate.admits(fetchedOffset) && !batch.topic.startsWith('serials.listed'))",
      },
    ],
  },
  {
    guard: 'D6: a journalled decision is published with any copy of its message',
    edits: [{ file: dedup, find: 'if (entry?.offset === message.offset)', replace: 'if (entry)' }],
  },
  {
    guard: 'D6: a worker starts after the last applied message, whatever is journalled',
    edits: [
      {
        file: dedup,
        find: 'Math.min(started.seekOffset, started.journal[0]?.offset ?? started.seekOffset)',
        replace: 'started.seekOffset',
      },
    ],
  },
  {
    guard: 'D6: the journal is trimmed before the acknowledgement',
    edits: [
      {
        file: dedup,
        find: 'await this.#ports.publish(results);',
        replace: 'await this.#trim(results);\n    await this.#ports.publish(results);',
      },
    ],
  },
  {
    guard: 'D7: any generation is the current one',
    edits: [
      {
        file: store,
        find: 'return this.#generations.get(scope.name) === scope.generation;',
        replace: "return scope.name !== '';",
      },
    ],
  },
  {
    guard: 'D7: two that begin an index at once take the same number',
    edits: [
      {
        file: 'services/shared/adapters/clickhouse/index-generations.ts',
        find: 'randomInt(1, leapMax)',
        replace: 'Math.min(1, leapMax)',
      },
    ],
  },
  {
    guard: 'L3: the watermark counts what was taken over, acknowledged or not',
    edits: [
      {
        file: writer,
        find: 'this.#held.set(message.offset, { message, coordinates, ...refused });',
        replace:
          'this.#held.set(message.offset, { message, coordinates, ...refused });\n      this.#watermark.acknowledge(coordinates.origin);',
      },
    ],
  },
  {
    guard: 'L3: dead letters hold nothing back',
    edits: [
      {
        file: 'services/ledger-writer/watermark.ts',
        find: 'Math.min(this.#highest, ...[...this.#unsettled.values()].map((origin) => origin - 1))',
        replace: 'Math.max(this.#highest, -this.#unsettled.size)',
      },
    ],
  },
  {
    guard: 'L5: a writer starts without the unsettled dead letters',
    edits: [
      {
        file: writer,
        find: 'const unsettled = await ports.unsettled(partition);',
        replace: 'const unsettled: DeadLetterRow[] = [];',
      },
    ],
  },
  {
    guard: 'L6: the ledger-writer stores its position when it takes messages over',
    edits: [
      {
        file: writer,
        find: 'await this.#inserter.add(items);',
        replace: 'this.#control.commit(messages.at(-1)!.offset + 1);\n    await this.#inserter.add(items);',
      },
    ],
  },
  {
    guard: 'X1: the letter of a copy whose batch was decided before is never settled',
    edits: [
      {
        file: 'services/ledger-writer/target.ts',
        find: 'await this.#settleThere(partition, holding);',
        replace: '',
      },
    ],
  },
  {
    guard: 'X1: a letter that is announced again after it was settled holds for ever',
    edits: [
      {
        file: 'services/ledger-writer/target.ts',
        find: 'for (const row of released) owner.settle(row);',
        replace: '',
      },
    ],
  },
  {
    guard: 'L3: a writer starts without knowing up to where the log was acknowledged',
    edits: [
      {
        file: writer,
        find: 'const acknowledgedTo = await ports.acknowledgedTo(partition);',
        replace: 'const acknowledgedTo = undefined;',
      },
    ],
  },
];

/** Throws when an edit does not fit the code any more: whoever moved the guard says where it is now. */
export function applyEdits(edits: readonly Edit[], file: string, text: string): string {
  return edits
    .filter((edit) => edit.file === file)
    .reduce((changed, { find, replace }) => {
      if (changed.split(find).length !== 2)
        throw new Error(
          `${file} has not exactly one "${find}": tell test/simulation/mutants.ts where the guard is`,
        );
      return changed.replace(find, () => replace);
    }, text);
}

/** Checks that every edit fits. */
export function requireFitting({ edits }: Mutant): void {
  for (const file of new Set(edits.map((edit) => edit.file)))
    applyEdits(edits, file, readFileSync(path.join(root, file), 'utf8'));
}

/** The project's file that a module's address means. */
export function fileOf(url: string): string {
  return url.startsWith('file:') ? path.relative(root, fileURLToPath(url)) : url;
}
